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
        ("is it safe?", "No serious adverse events were reported.", True),
    ],
)
def test_the_kind_of_amount_decides(question: str, statement: str, expected: bool) -> None:
    assert gives_what_is_asked(question, statement) is expected
