"""A question for an amount is not answered without one."""

import pytest

from chains.quantity import gives_what_is_asked


@pytest.mark.parametrize(
    ("question", "statement", "expected"),
    [
        ("how many particles should I inject?", "A particle is released from a cell.", False),
        ("how many patients?", "The trial had 25 patients with acne scars.", True),
        ("how many patients?", "Eight otherwise healthy patients were described.", True),
        ("how many sessions were given?", "Patients were seen after 12 weeks.", False),
        ("what dose of propranolol?", "Propranolol 2-3 mg/kg/day is advised.", True),
        ("what dose of propranolol?", "Propranolol may cause hypoglycaemia.", False),
        ("what dose of propranolol?", "Timolol 0.5 % drops, 5 mg/mL, were used.", False),
        ("which fluence?", "The laser ran at 595 nm and 7.5 J/cm2.", True),
        ("which fluence?", "A higher fluence brought more purpura.", False),
        ("what percentage get a scar?", "Scars formed in 4.3% of patients.", True),
        ("what percentage get a scar?", "Scars have been reported.", False),
        ("which settings?", "A 595-nm laser was used.", False),
        ("which wavelength?", "A 595-nm laser was used.", True),
        ("does a higher fluence hurt more?", "Side effects rose with the laser dose.", True),
        ("how long does it last?", "There were three monthly treatments.", False),
        ("how long does it last?", "Redness lasted 3.3 days on average.", True),
        ("how long does it last?", "It is given for at least six months.", True),
        ("how much clinical evidence is there?", "Randomised trials were scarce.", True),
        ("how much is given?", "Randomised trials were scarce.", False),
        ("how many people?", "The study followed 39 patients.", True),
        ("n pts, how many pts?", "The study followed 39 patients.", True),
        ("what dose with the laser?", "The laser and 0.25 mg/kg/day were combined.", True),
        ("what dose with the laser?", "Three cases had 3.75 units, without laser.", False),
        ("what dose with the laser?", "Three cases had 3.75 units.", False),
        ("what dose with them?", "Three cases had 3.75 units.", True),
        ("is it safe?", "No serious adverse events were reported.", True),
    ],
)
def test_the_kind_of_amount_decides(question: str, statement: str, expected: bool) -> None:
    assert gives_what_is_asked(question, statement) is expected
