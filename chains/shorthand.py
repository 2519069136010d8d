"""Clinicians' shorthand, written out: "dx of mets w/ preg pts?" is read as what it stands for.

General shorthand only; abbreviations of diseases and drugs come from the articles.
"""

import re

_STANDS_FOR = {
    "adverse effects": "ae aes",
    "about": "abt",
    "and": "&",
    "antibiotics": "abx abs",
    "approximately": "approx",
    "associated": "assoc assocd",
    "average": "avg",
    "because": "bc cos coz",
    "before": "b4",
    "between": "btw btwn",
    "bilateral": "bilat",
    "biopsy": "bx",
    "blood pressure": "bp",
    "blood tests": "bloods",
    "breastfeeding": "bf",
    "by mouth": "po",
    "cancer": "ca",
    "chemotherapy": "chemo",
    "chest x-ray": "cxr",
    "child": "kiddo paed ped",
    "children": "paeds peds",
    "chromosome": "chr",
    "complications": "comps compl",
    "contraindicated": "ci c/i",
    "could": "cld",
    "decrease": "decr",
    "deficiency": "defic",
    "diagnosis": "dx diag",
    "differential diagnosis": "ddx",
    "disease": "dz",
    "diseases": "dzs",
    "disorder": "d/o",
    "examination": "exam",
    "family history": "fhx famhx",
    "follow-up": "fu f/u",
    "fracture": "fx",
    "frequency": "freq",
    "general": "gen",
    "heart rate": "hr",
    "history": "hx",
    "hospital": "hosp",
    "hours": "hrs",
    "hypertension": "htn",
    "increase": "incr",
    "infection": "infxn",
    "infections": "infxns",
    "information": "info",
    "injection": "inj jab",
    "injections": "jabs",
    "laboratory tests": "labs",
    "lymph node": "ln",
    "lymph nodes": "lns",
    "management": "mx mgmt mgt",
    "maximum": "max",
    "medication": "med",
    "medications": "meds",
    "metastases": "mets",
    "minutes": "mins",
    "month": "mth",
    "months": "mths mos",
    "mortality": "mort",
    "mutation": "mut",
    "mutations": "muts",
    "neurological": "neuro",
    "newborn": "nb",
    "operation": "op",
    "patient": "pt",
    "patients": "pts",
    "people": "ppl",
    "please": "pls plz",
    "pregnant": "preg",
    "prescription": "script",
    "prevention": "prev",
    "problem": "prob",
    "problems": "probs",
    "prognosis": "px prog",
    "prophylaxis": "ppx proph",
    "psychiatric": "psych",
    "radiotherapy": "rt xrt",
    "recommended": "rec",
    "recurrence": "recur",
    "relatives": "rels",
    "respiratory": "resp",
    "should": "shld",
    "siblings": "sibs",
    "side effects": "se ses s/e",
    "surgery": "surg",
    "symptoms": "sx symps",
    "syndrome": "synd",
    "temperature": "temp",
    "transplant": "tplant",
    "treatment": "tx rx ttt",
    "ultrasound": "uss us",
    "unilateral": "unilat",
    "vaccine": "vax vacc",
    "versus": "vs",
    "week": "wk",
    "weeks": "wks",
    "with": "w/ w",
    "without": "w/o",
    "would": "wld",
    "x-ray": "xray",
    "year": "yr",
    "years": "yrs",
    "years old": "yo y/o",
}
_MEANS = {short: full for full, shorts in _STANDS_FOR.items() for short in shorts.split()}
_TOKEN = re.compile(r"(?<![\w/-])(?:w/o|w/|[a-z]/[a-z]|b4|&|[a-z]+)(?![\w/-])", re.IGNORECASE)


def written_out(text: str) -> str:
    """The text with its shorthand written out; other words as they are, and what stands in capitals
    too, which is likelier a name."""

    shouted = text.isupper() and len(text.split()) > 2

    def full(found: re.Match[str]) -> str:
        short = found.group()
        if short.isupper() and len(short) > 1 and not shouted:
            return short
        return _MEANS.get(short.lower(), short)

    return _TOKEN.sub(full, text)
