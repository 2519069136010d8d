"""Emergencies and orders are told from questions about them."""

import pytest

from chains.safety import orders_for_one_patient, urgency


@pytest.mark.parametrize(
    "text",
    [
        "my patient is not breathing",
        "the child just collapsed after the injection",
        "she is unresponsive, what do I do",
        "patient having anaphylaxis now, help",
        "he stopped breathing",
    ],
)
def test_an_emergency_in_progress_is_urgent(text: str) -> None:
    assert urgency(text) == "emergency"


@pytest.mark.parametrize("text", ["I want to kill myself", "i feel suicidal", "I want to die"])
def test_self_harm_of_the_writer_is_urgent(text: str) -> None:
    assert urgency(text) == "self_harm"


@pytest.mark.parametrize(
    "text",
    [
        "Mein Patient atmet nicht mehr",
        "die kleine Patientin ist plötzlich nicht ansprechbar",
        "Das Kind ist nach der Injektion kollabiert",
        "sie reagiert nicht mehr, was tun?",
        "Unser Baby läuft blau an",
        "er hat einen Herzstillstand",
        "Hilfe, Anaphylaxie nach Bleomycin",
    ],
)
def test_an_emergency_is_urgent_in_german_too(text: str) -> None:
    assert urgency(text) == "emergency"


@pytest.mark.parametrize(
    "text",
    [
        "Ich will mich umbringen",
        "ich möchte sterben",
        "Ich kann nicht mehr, ich will mir das Leben nehmen",
        "ich bin suizidal",
    ],
)
def test_self_harm_of_the_writer_is_urgent_in_german_too(text: str) -> None:
    assert urgency(text) == "self_harm"


@pytest.mark.parametrize(
    "text",
    [
        "Suizidgedanken unter Isotretinoin?",
        "Verursacht Propranolol Krampfanfälle bei Kindern?",
        "Wie hoch ist das Risiko einer Anaphylaxie?",
        "Wie oft blutet ein Hämangiom nach dem Laser?",
        "Was sagt die Leitlinie zu Keloiden?",
        "Wann ist ein Kind nach einer Narkose wieder ansprechbar?",
    ],
)
def test_a_german_question_about_danger_is_a_question(text: str) -> None:
    assert urgency(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "suicidal ideation with isotretinoin?",
        "does propranolol cause bradycardia or seizures?",
        "risk of anaphylaxis with exosome injection",
        "cardiac arrest after bleomycin: any reports?",
        "is unconscious bias studied?",
        "what signs of necrosis should I look for?",
        "how often does skin necrosis occur",
        "bleeding after hemangioma laser?",
        "can patients be unresponsive to pulsed dye laser?",
        "airway hemangioma, stridor: when to treat",
    ],
)
def test_a_question_about_danger_is_a_question(text: str) -> None:
    assert urgency(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "should I give this patient isotretinoin?",
        "Prescribe valacyclovir for my patient",
        "what dose should I use - can I give her 2 mg/kg",
        "write me a prescription for propranolol",
        "decide the treatment for my patient",
        "should we stop propranolol in this baby?",
    ],
)
def test_an_order_for_one_patient_is_recognised(text: str) -> None:
    assert orders_for_one_patient(text)


@pytest.mark.parametrize(
    "text",
    [
        "What should my patient ask a clinic that offers exosomes?",
        "Is it safe to use vascular laser while the patient is on isotretinoin?",
        "how many particles of exosomes should I inject?",
        "Should I add topical sirolimus?",
        "Does it matter if the patient has a cold-sore history?",
        "What dose of propranolol and for how long?",
        "Should I give antibiotics before CO2 laser?",
    ],
)
def test_a_question_about_patients_in_general_is_a_question(text: str) -> None:
    assert not orders_for_one_patient(text)
