"""The vocabulary of asking: words that shape a question, and words that bind its answer.

Both lists are general English and general clinic talk. They hold no disease, drug or device:
those come from the store.
"""

from store.lexical import stem

TALK = frozenset(
    stem(w)
    for w in """
    able about overview summarise summarize summary define definition introduction introduce
    able accept acceptable achieve act actually add adding advantage advice advise affect again ago
    aim alone already alternative always amount answer anything appear apply approach approximately
    appropriate ask available avoid avoided aware back bad based basis become begin believe benefit
    beneficial best better big both bother bring care case cause caused certain chance change cheap
    check choice choose clear clinic clinical clinician close closest combination combine combined
    combo come common commonly compare compared comparison complete completely concern condition
    confirm consider contrary contribute control correct couple course current currently data deal
    decide decrease definite degree depend describe detail determine difference different
    differently difficult disadvantage disappear discuss doctor early easy effect effective
    effectiveness efficacy efficient else end enough ensure especially etc evaluate ever every
    everything evidence exact exactly example exist expect expected experience explain extent fact
    factor fail failed failure far fast faster favour feel few fill find finding first follow
    following form frequent frequently fresh full further gain general generally go good great grow
    guidance guideline guidelines guy happen happened hard harm harmful help helpful high higher
    idea ideal identify important improve improvement include increase indicate indicated
    indication info information instead involve involved issue keep key kind know known lady large
    last late later lead least less let level lie life like likelihood likely limit limitation line
    literature little long longer look lot low lower main mainly major make man manage management
    many matter maximum maybe mean mention method mild minimum minor moderate modify nature near
    necessary need needed new next normal normally note number occur offer often old one opinion
    option order outcome overall part particular patient people per perform person place plan point
    poor possible possibly post potential practical practice pre prefer preferred prescribe present
    pretty prevent previous probably problem procedure process produce proof proper properly protect
    prove proven provide publish published purpose question quick quickly quite rather rationale
    reach real really reason reasonable recent recently recommend recommendation recommended reduce
    regard regarding regular regularly related relation relative relevant rely remain report
    reported require required research respond response rest result right risk risky role rough
    roughly routine routinely rule safe safely safety second seem select sense serious seriously
    set setting settings severe severity short shorter show side sign significant similar simple
    single situation size small solution soon sort speed standard start started starting statement
    status stay step still stop strength strong study stuff subject success successful suggest
    suggested suitable summary support sure symptom take taken talk technique term test tested thing
    think thought time tip total treat treated treating treatment trial true try turn two type
    typical typically understand use useful using usual usually value vary versus view vs wait want
    watch way well whole wide woman word work world worldwide worry worse worst worth write wrong
    milligram milligrams gram grams microgram micrograms kilo kilos mg mcg kg ml mls joule joules
    tablet tablets pill pills capsule capsules cream tube lady guy fella chap lad bloke gent
    rct randomised randomized took taking gave gives made did does happens worth
    """.split()
)
"""Stems that say how something is asked, compared or judged. Their absence from an article says
little about whether it answers."""

WHOLE = frozenset(
    stem(w)
    for w in """
    overview summarise summarize summary define definition introduction introduce tell explain
    describe discuss talk know learn remind info information general basics topic subject question
    article articles page same now again back return returning switch switching move moving on
    please say case patient regarding concerning ditto next mean meant sorry actually
    """.split()
)
"""Stems that, beside a topic's name, ask for the topic as a whole, or say that it is meant."""

_BOUND = [
    frozenset(stem(w) for w in group.split())
    for group in (
        "pregnant pregnancy pregnancies gravid conception conceive trimester antenatal prenatal "
        "obstetric gestation gestational fetus fetal",
        "lactation lactating breastfeed breastfeeding nursing breast-fed",
        "child children pediatric paediatric infant infants infantile neonate neonatal newborn "
        "toddler adolescent teenager baby babies kid kids boy girl childhood",
        "elderly older geriatric senior",
        "anticoagulated anticoagulant anticoagulants anticoagulation warfarin apixaban rivaroxaban "
        "dabigatran edoxaban heparin doac doacs noac noacs thinner thinners",
        "renal kidney kidneys dialysis nephropathy",
        "hepatic liver cirrhosis",
        "immunosuppressed immunosuppression immunocompromised immunodeficiency immunosuppressive",
        "transplant transplanted transplantation recipient",
        "allergic allergy allergies allergen",
        "recurrence recurrences recur recurs recurred recurrent relapse relapses relapsed rebound "
        "regrowth",
        "survival survive mortality death die fatal",
        "hiv",
        "diabetic diabetes",
        "cancer malignancy malignant tumour carcinoma",
        "chemotherapy",
        "cost costs price expensive cheaper cheap",
        "reimbursed reimbursement insurance",
        "brand brands manufacturer",
        "legal illegal law",
        "europe european ema",
        "uk nhs nice mhra",
        "usa america american fda",
        "australia",
        "canada",
        "china",
        "india",
        "japan",
        "korea",
        "africa",
        "driving drive",
        "fly flying flight airline",
        "alcohol drinking",
        "smoking smoker smoke tobacco",
        "overdose",
    )
]
BINDING: dict[str, frozenset[str]] = {s: group for group in _BOUND for s in group}
"""Stems that narrow a question to people, places or money, each with what says the same. An answer
that does not speak of them would mislead, however near it is otherwise."""
