"""Amounts in a text: values with their units, made comparable.

A unit is a dimension and a factor: "0.25 mg/kg/day" and "250 micrograms/kg a day" are one amount.
"""

import re
from dataclasses import dataclass, replace

UNITS: dict[str, tuple[str, float]] = {}
_BY_DIMENSION: dict[str, dict[str, float]] = {
    "mass": {"ng": 1e-6, "mcg": 1e-3, "ug": 1e-3, "µg": 1e-3, "μg": 1e-3, "microgram": 1e-3,
             "micrograms": 1e-3, "mg": 1, "milligram": 1, "milligrams": 1, "g": 1e3, "gram": 1e3,
             "grams": 1e3, "gramme": 1e3, "grammes": 1e3, "kg": 1e6, "kilogram": 1e6,
             "kilograms": 1e6, "kilo": 1e6},
    "volume": {"ul": 1e-3, "µl": 1e-3, "μl": 1e-3, "ml": 1, "cc": 1, "millilitre": 1,
               "millilitres": 1, "milliliter": 1, "milliliters": 1, "cl": 10, "dl": 100, "l": 1e3,
               "litre": 1e3, "litres": 1e3, "liter": 1e3, "liters": 1e3},
    "length": {"nm": 1e-6, "nanometre": 1e-6, "nanometres": 1e-6, "nanometer": 1e-6,
               "nanometers": 1e-6, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3,
               "micrometre": 1e-3, "micrometres": 1e-3, "micrometer": 1e-3, "micrometers": 1e-3,
               "mm": 1, "millimetre": 1, "millimetres": 1, "millimeter": 1, "millimeters": 1,
               "cm": 10, "centimetre": 10, "centimetres": 10, "centimeter": 10, "centimeters": 10,
               "m": 1e3, "metre": 1e3, "metres": 1e3, "meter": 1e3, "meters": 1e3},
    "area": {"mm2": 1, "mm²": 1, "cm2": 100, "cm²": 100, "m2": 1e6, "m²": 1e6},
    "time": {"ns": 1e-9 / 86400, "us": 1e-6 / 86400, "µs": 1e-6 / 86400,
             "ms": 1e-3 / 86400, "millisecond": 1e-3 / 86400, "milliseconds": 1e-3 / 86400,
             "s": 1 / 86400, "sec": 1 / 86400, "second": 1 / 86400, "seconds": 1 / 86400,
             "min": 1 / 1440, "mins": 1 / 1440, "minute": 1 / 1440, "minutes": 1 / 1440,
             "h": 1 / 24, "hr": 1 / 24, "hrs": 1 / 24, "hour": 1 / 24, "hours": 1 / 24,
             "day": 1, "days": 1, "d": 1, "week": 7, "weeks": 7,
             "wk": 7, "wks": 7, "fortnight": 14, "fortnights": 14, "month": 30.4375, "months": 30.4375,
             "year": 365.25, "years": 365.25, "yr": 365.25, "yrs": 365.25,
             "decade": 3652.5, "decades": 3652.5},
    "energy": {"mj": 1e-3, "j": 1, "joule": 1, "joules": 1, "kj": 1e3},
    "power": {"mw": 1e-3, "w": 1, "watt": 1, "watts": 1},
    "share": {"%": 1, "percent": 1, "percentage": 1},
    "activity": {"iu": 1, "unit": 1, "units": 1, "u": 1},
    "amount": {"mmol": 1, "mol": 1e3, "umol": 1e-3, "µmol": 1e-3, "micromol": 1e-3,
               "nmol": 1e-6, "millimole": 1, "millimoles": 1, "micromole": 1e-3, "micromoles": 1e-3,
               "mole": 1e3, "moles": 1e3},
    "pressure": {"mmhg": 1, "kpa": 7.50062},
    "rate": {"hz": 1, "bpm": 1 / 60, "beats": 1 / 60},
    "radiation": {"gy": 1, "mgy": 1e-3, "cgy": 1e-2},
    "degree": {"°c": 1, "°": 1, "°f": 1.8},
    "kcal": {"kcal": 1},
    "ppm": {"ppm": 1},
}  # fmt: skip
for _dimension, _factors in _BY_DIMENSION.items():
    for _name, _factor in _factors.items():
        UNITS[_name] = (_dimension, _factor)

_WORDS = {
    w: float(i)
    for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
}
_WORDS |= {
    w: 10.0 * i for i, w in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
_WORDS |= {"hundred": 100.0, "thousand": 1000.0, "million": 1e6, "dozen": 12.0}
_PARTS = {"half": 0.5, "halves": 0.5, "third": 1 / 3, "thirds": 1 / 3, "quarter": 0.25,
          "quarters": 0.25, "fifth": 0.2, "fifths": 0.2, "sixth": 1 / 6, "tenth": 0.1,
          "tenths": 0.1, "eighth": 0.125, "eighths": 0.125}  # fmt: skip
_WORD = "|".join([*_WORDS])
_NUMERAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+"
_ONE = rf"(?:{_NUMERAL}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ](?:one|two|three|four|five|six|seven|eight|nine)|(?:{_WORD})(?![a-z])(?: hundred)?)"
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?<![\w.])(?P<low>{_ONE})(?:(?P<unit1>\s?%)?\s?(?:-|–|to(?: about)?|and(?=\s(?:{_ONE})\s?(?:{_UNIT})))\s?(?P<high>{_ONE}))?"
    rf"(?:(?:\u00a0+|\s?-?)(?P<unit>{_UNIT})(?![\w]))?"
    rf"(?P<per>(?:\s?/\s?(?:{_UNIT})(?!\w)|\s(?:per|an?|each|every)\s(?:{_UNIT})(?!\w)|\sper\s\d*\.?\d+\s?(?:{_UNIT})(?!\w)|\s(?:daily|weekly|monthly|yearly|nightly)(?!\w)(?!\s(?:sessions|treatments|doses|injections|visits|infusions|courses|cycles)))*)",
    re.IGNORECASE,
)
_PER = re.compile(
    rf"(?:/\s?|per\s(?P<by>\d*\.?\d+)?\s?|an?\s|each\s|every\s|\b)(?P<name>{_UNIT}|daily|weekly|monthly|yearly|nightly)(?!\w)",
    re.IGNORECASE,
)
_RHYTHMS = {
    "daily": "day",
    "nightly": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
}
_FRACTION = re.compile(
    rf"\b(?:(?P<count>an?|one|two|three|four|five|seven|nine)[ -])?(?P<part>{'|'.join(_PARTS)})\b"
    rf"(?!\s?(?:-?(?:{_UNIT})\b|group|arm|trial|week|study|generation|pass|session|treatment|dose|line|trimester|degree))",
    re.IGNORECASE,
)
_A_HALF = re.compile(
    r"\b(?:control|treated|untreated|other|either|each|which|lasered|opposite|placebo|on the|in the)\s$",
    re.I,
)
"""A half of a body, of which one is told from the other."""
_CHANGED = re.compile(
    r"\b(?:rais|ris|ros|low|fell|fall|increas|decreas|reduc|improv|shorten|lengthen|drop|declin|chang|went|"
    r"prolong|extend|brought)\w*\b[^.;]{0,70}\bfrom\s$",
    re.IGNORECASE,
)
"""Before "47% to 69%" says that these are two amounts and no range."""
_AND_A_HALF = re.compile(rf"\b(?P<n>{_ONE}) and a half (?P<unit>{_UNIT})(?!\w)", re.IGNORECASE)
_ONE_AND_A_HALF = re.compile(
    rf"\b(?:an?|one) (?P<unit>{'|'.join(u for u in UNITS if len(u) > 2 and u.isalpha())}) and a half\b",
    re.IGNORECASE,
)
_AT = re.compile(
    r"\b(?P<unit>day|week|month|year)s?\s(?P<n>\d{1,3})\b(?!\s?(?:%|mg|of (?!pregnancy|gestation|treatment|therapy|life)))",
    re.IGNORECASE,
)
_ONE_IN = re.compile(
    rf"\b(?P<a>{_ONE})\s(?:in|out of|of(?: the)?|per(?=\s\d{{1,3}}(?:,\d{{3}}|\d)))\s(?:every\s)?(?P<b>{_ONE})\b(?!\s?(?:{_UNIT})\b)",
    re.IGNORECASE,
)
_OF_STUDIES = re.compile(
    r"\s(?:\w+ )?(?:trials|studies|reviews|cohorts|series|groups|arms|sites|centres)\b", re.I
)
_RANGE_IN = re.compile(
    rf"\b(?P<low>{_ONE})\s?(?:to|-|–)\s?(?P<high>{_ONE})\s(?:in|out of|of|per)\s(?:every\s)?(?P<whole>1(?:0+|,000|0,000|00,000)|hundred|thousand)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<![\w])\d+-(?=(?-i:[A-Z]{2,5}\b)|[a-z]{8,})|(?<=[a-z])-\d+\b|\b[A-Za-z]+\d+\w*",
    re.IGNORECASE,
)
_PART_OF_TIME = re.compile(
    rf"\b(?:(?P<count>an?|one|two|three|four|five)[ -])?(?P<part>{'|'.join(_PARTS)})\s(?:of\s)?an?\s(?P<unit>{'|'.join(u for u in UNITS if len(u) > 2 and u.isalpha() and not u.endswith('s'))})\b",
    re.IGNORECASE,
)
_BARE_TIMES = re.compile(
    r"\b(once|twice|thrice|one time|two times|three times|four times)\s?(?:-|a|an|per|every|each)?\s?"
    r"(daily|weekly|monthly|yearly|day|week|month|year|hour)\b",
    re.IGNORECASE,
)
_TIMES = {"once": 1.0, "twice": 2.0, "thrice": 3.0, "one time": 1.0, "two times": 2.0,
          "three times": 3.0, "four times": 4.0}  # fmt: skip


_CLASS = re.compile(
    r"\b(?:grades?|stages?|phase|class|type|types|category)\s(?:\d\sor\s)?$", re.IGNORECASE
)
"""Before a number that names a class."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A value or a range, in units of its dimension; without a unit the dimension is "count"."""

    low: float
    high: float
    dimension: str
    start: int
    end: int
    text: str
    vague: bool = False
    """Said as a part of a whole ("a third") rather than as a figure."""
    derived: bool = False
    """Follows from two counts, as 25 % from 3 of 12."""
    plain: tuple[float, float, str] | None = None
    """Low, high and dimension without the time it is given by, as 10 mg of 10 mg a day."""


def _value(text: str) -> float:
    text = text.lower().strip()
    if text[0].isdigit() or text[0] == ".":
        return float(text.replace(",", ""))
    total = 0.0
    for word in re.split(r"[- ]", text):
        number = _WORDS[word]
        total = total * number if number >= 100 and total else total + number
    return total


def amounts(text: str) -> list[Amount]:
    """Every amount of the text, in order; "one" counts only where it measures something."""
    # A spread between a value and its unit: "48.7 (SD 5.7) mg/kg".
    text = re.sub(r"\((?:SD|SE|SEM|IQR)\b[^()]*\)", lambda m: " " * len(m[0]), text)
    text = re.sub(r"(?<=\d)(\s{3,})(?=[a-zA-Zµ%])", lambda m: "\u00a0" * len(m[0]), text)
    found: list[Amount] = []
    names = [(m.start(), m.end()) for m in _NAME.finditer(text)]
    taken: list[tuple[int, int]] = []
    for m in re.finditer(r"\b(?:none|nobody)\b|\bno (?=\w+)", text, re.IGNORECASE):
        found.append(Amount(0.0, 0.0, "none", m.start(), m.end(), m[0].strip()))
    for m in _PART_OF_TIME.finditer(text):
        count = {"a": 1.0, "an": 1.0}.get((m["count"] or "a").lower()) or _value(m["count"])
        value = count * _PARTS[m["part"].lower()] * UNITS[m["unit"].lower()][1]
        found.append(Amount(value, value, UNITS[m["unit"].lower()][0], m.start(), m.end(), m[0]))
        taken.append((m.start(), m.end()))
    for m in _ONE_AND_A_HALF.finditer(text):
        dimension, factor = UNITS[m["unit"].lower()]
        found.append(Amount(1.5 * factor, 1.5 * factor, dimension, m.start(), m.end(), m[0]))
        taken.append((m.start(), m.end()))
    for m in [*_AND_A_HALF.finditer(text), *_AT.finditer(text)]:
        if _within(m, taken):
            continue
        dimension, factor = UNITS[m["unit"].lower()]
        value = (_value(m["n"]) + (0.5 if "half" in m[0] else 0.0)) * factor
        found.append(Amount(value, value, dimension, m.start(), m.end(), m[0]))
        taken.append((m.start(), m.end()))
    for m in _BARE_TIMES.finditer(text):
        unit = UNITS[_RHYTHMS.get(m[2].lower(), m[2].lower())]
        times = _TIMES[re.sub(r"\s+", " ", m[1].lower())] / unit[1]
        found.append(Amount(times, times, "frequency", m.start(), m.end(), m[0]))
        taken.append((m.start(), m.end()))
    for m in _RANGE_IN.finditer(text):
        low, high, whole = (_value(m[name]) for name in ("low", "high", "whole"))
        if 0 < low < high < whole:
            low, high = 100 * low / whole, 100 * high / whole
            found.append(Amount(low, high, "share", m.start(), m.end(), m[0]))
            taken.append((m.start(), m.end()))
    for m in _ONE_IN.finditer(text):
        if _within(m, taken):
            continue
        if _OF_STUDIES.match(text, m.end()):
            continue
        a, b = _value(m["a"]), _value(m["b"])
        if 0 < a <= b and b > 1:
            share = 100 * a / b
            word = not m["b"][0].isdigit() and b <= 20
            found.append(
                Amount(
                    share, share, "share", m.start(), m.end(), m[0], vague=word, derived=not word
                )
            )
            if word:
                taken.append((m.start(), m.end()))
    for m in _FRACTION.finditer(text):
        if _within(m, taken) or (not m["count"] and m["part"].lower() not in ("half", "quarter")):
            continue
        if m["part"].lower() == "half" and _A_HALF.search(text[: m.start()]):
            continue
        count = {"a": 1.0, "an": 1.0}.get((m["count"] or "a").lower()) or _value(m["count"])
        share = 100 * count * _PARTS[m["part"].lower()]
        found.append(Amount(share, share, "share", m.start(), m.end(), m[0], vague=True))
        taken.append((m.start(), m.end()))
    for m in _AMOUNT.finditer(text):
        if _within(m, taken) or any(s <= m.start("low") < e for s, e in names):
            continue
        if _CLASS.search(text[max(0, m.start() - 12) : m.start()]):
            continue
        dimension, factor = _unit(m)
        word = m["low"][0].isalpha()
        if word and dimension == "count" and m["low"].lower() in ("one", "zero"):
            continue
        start = m.start()
        if m["unit1"] and m["high"] and m["unit"] and dimension != "share":
            # "88% and 10 days" are two amounts, each with its unit.
            low = _value(m["low"])
            end = m.end("unit1")
            found.append(Amount(low, low, "share", start, end, text[start:end]))
            value, start = _value(m["high"]) * factor, m.start("high")
            found.append(Amount(value, value, dimension, start, m.end(), text[start : m.end()]))
            continue
        low = _value(m["low"]) * factor
        high = _value(m["high"]) * factor if m["high"] else low
        between = text[max(0, m.start() - 8) : m.start()].lower().endswith("between ")
        two = m["high"] and " and " in m[0].lower() and not between
        changed = m["high"] and _CHANGED.search(text[max(0, m.start() - 90) : m.start()])
        if m["high"] and (two or changed or high < low):
            # "5 and 3 mm" are two amounts; the first has the unit of the second.
            end = m.end("unit1") if m["unit1"] else m.end("low")
            found.append(Amount(low, low, dimension, m.start(), end, text[m.start() : end]))
            low, start = high, m.start("high")
        plain = None
        text_of = text[start : m.end()].strip()
        if dimension.endswith("/time"):
            base, divisor = UNITS[(m["unit"] or (m["unit1"] or "").strip()).lower()]
            if dimension == f"{base}/time":
                plain = (_value(m["low"]) * divisor, _value(m["high"] or m["low"]) * divisor, base)
        found.append(Amount(low, high, dimension, start, m.end(), text_of, plain=plain))
    return _with_units(sorted(found, key=lambda a: (a.start, a.end)), text)


_IN_A_ROW = re.compile(
    r"(?:\s\w+)?\s*(?:,|and|or|,? and|to|v|vs\.?|versus|against|rather than|instead of|compared with|than(?: of| at| in| with)?)"
    r"\s*(?:at |after |for |about |only )?",
    re.IGNORECASE,
)


def _with_units(found: list[Amount], text: str) -> list[Amount]:
    """ "3 and at 6 months": a bare number in a row has the unit of the next one."""
    out = list(found)
    for i, own in enumerate(out):
        before = text[max(0, own.start - 24) : own.start]
        aged = re.search(
            r"\bage[ds]?\b(?: (?:of|from|between|over|under))?\s$"
            r"|\b(?:patients|people|children|adults|anyone|those|women|men|infants|persons) "
            r"(?:under|over|below|above|younger than|older than)\s$",
            before,
            re.IGNORECASE,
        )
        if own.dimension == "count" and aged:
            years = UNITS["years"][1]
            unit = out[i + 1].dimension if i + 1 < len(out) else ""
            between = text[own.end : out[i + 1].start] if unit else ""
            if unit == "time" and _IN_A_ROW.fullmatch(between):
                continue  # "aged 2 or 6 months"
            out[i] = replace(own, low=own.low * years, high=own.high * years, dimension="time")
    for i in range(len(out) - 2, -1, -1):
        own, following = out[i], out[i + 1]
        between = text[own.end : following.start]
        if own.dimension != "count" or following.dimension in ("count", "frequency"):
            continue
        if following.dimension == "share" and not following.text.endswith("percentage"):
            continue
        if _IN_A_ROW.fullmatch(between):
            named = re.search(rf"({_UNIT})(?!\w)", following.text, re.IGNORECASE)
            figure = re.match(_NUMERAL, following.text)
            if named:
                factor = UNITS[named[1].lower()][1]
                if "/" in following.dimension and figure and _value(figure[0]):
                    factor = following.low / _value(figure[0])
                out[i] = replace(
                    own,
                    low=own.low * factor,
                    high=own.high * factor,
                    dimension=following.dimension,
                    plain=(own.low, own.high, "share")
                    if following.dimension == "share/time"
                    else None,
                )
    return out


def _within(m: re.Match[str], taken: list[tuple[int, int]]) -> bool:
    return any(s < m.end() and m.start() < e for s, e in taken)


def _unit(m: re.Match[str]) -> tuple[str, float]:
    name = (m["unit"] or (m["unit1"] or "").strip()).lower()
    if not name:
        return "count", 1.0
    dimension, factor = UNITS[name]
    for per in _PER.finditer(m["per"] or ""):
        below, divisor = UNITS[_RHYTHMS.get(per["name"].lower(), per["name"].lower())]
        divisor *= float(per["by"] or 1)
        dimension, factor = f"{dimension}/{below}", factor / divisor
    if dimension == "mass/mass":
        return "share", 100 * factor
    return dimension, factor
