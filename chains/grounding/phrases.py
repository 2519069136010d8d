"""Terms of medicine that say the same in other words, put into one form before two texts are compared.

Lay and professional names of signs, organs, routes and study designs: each line is one meaning, its
first term the form it is given.
"""

import re
from functools import lru_cache

_TERMS = """
hypertension|high blood pressure|raised blood pressure|elevated blood pressure
hypotension|low blood pressure
myocardial infarction|heart attack|heart attacks|myocardial infarctions
heart failure|cardiac failure
heart muscle inflammation|myocarditis|inflammation of the heart muscle|inflammation of heart muscle
stroke|cerebrovascular accident
glucose|blood sugar|blood glucose|sugar in the blood|blood sugar level|glucose in the blood
hypoglycaemia|hypoglycemia|low blood sugar|low blood glucose|low glucose
hyperglycaemia|hyperglycemia|high blood sugar|high blood glucose|high glucose
glycated haemoglobin|hba1c|glycated hemoglobin|haemoglobin a1c|hemoglobin a1c
diarrhoea|diarrhea|loose stools|loose stool|loose bowel movements
constipation|hard stools
insomnia|sleeplessness|trouble sleeping|difficulty sleeping|sleep problems
drowsiness|sleepiness|somnolence
dizziness|feeling dizzy|light-headedness
nausea|feeling sick|queasiness
vomiting|being sick|throwing up|emesis
itching|pruritus|itch|itchiness
redness|erythema|reddening
swelling|oedema|edema
bruising|purpura|bruise|bruises|ecchymosis|bruised
bleeding|haemorrhage|hemorrhage|haemorrhages|hemorrhages
wheal|hives|urticaria
hair loss|alopecia|loss of hair
dry skin|skin dryness|dryness of the skin|xerosis
fever|pyrexia|raised temperature|high temperature
headache|headaches|head pain
pain|soreness
joint pain|arthralgia|pain in the joints|painful joints
muscle pain|myalgia|aching muscles|muscle aches
shortness of breath|dyspnoea|dyspnea|breathlessness|difficulty breathing
seizures|fits|convulsions|seizure|convulsion
weight gain|gain in weight|gaining weight
kidney|renal|kidneys
kidney failure|renal failure|end-stage kidney disease|end-stage renal disease|kidney disease in its final stage
liver|hepatic
lung|pulmonary|lungs
heart|cardiac
brain|cerebral
bladder|vesical
stomach|gastric
bowel|intestine|intestinal|gut|bowels|intestines
skin|cutaneous|dermal
womb|uterus|uterine
eye|ocular|eyes|ophthalmic
bone marrow suppression|myelosuppression
blood clot|thrombus|blood clots|thrombosis|thrombotic events
high cholesterol|hypercholesterolaemia|hypercholesterolemia
cancer|malignancy|malignant tumour|malignant tumor|malignancies
spread|metastasis|metastases|metastatic spread
benign tumour|benign tumor|non-cancerous growth
birth defects|congenital malformations|malformations|congenital anomalies|birth defect
miscarriage|spontaneous abortion|pregnancy loss
caesarean section|caesarean|cesarean|c-section|cesarean section|caesarean birth|caesarean delivery
birth|delivery|childbirth
first trimester|first three months of pregnancy|first 3 months of pregnancy|the first 12 weeks of pregnancy
preterm|premature|prematurely|born early
during pregnancy|in pregnancy|while pregnant|pregnant
breast-feeding|breastfeeding|lactation|nursing
newborn|neonate|newborns|neonates|neonatal
children|kids|youngsters|paediatric patients|pediatric patients
adolescents|teenagers|young people|teens
older people|elderly people|the elderly|elderly patients|older patients|older adults|elderly
general practitioner|family doctor|primary care physician|gp
intensive care unit|intensive care|icu|critical care
emergency department|emergency room|a and e|casualty
admitted to hospital|hospitalised|hospitalized|hospital admission|admission to hospital|admitted
hospital stay|length of stay|stay in hospital|time in hospital
mechanical ventilation|artificial ventilation|ventilator support|a ventilator
by mouth|orally|oral|peroral|swallowed
intravenous|given into a vein|injected into a vein|by intravenous injection|by intravenous infusion|intravenously|into a vein|into the vein|by vein
intramuscular|injected into a muscle|by intramuscular injection|intramuscularly|into a muscle|into the muscle
subcutaneous|injected under the skin|injected subcutaneously|by subcutaneous injection|subcutaneously|under the skin|beneath the skin
intradermal|intradermally|into the dermis|into the skin
intralesional|intralesionally|into the lesion|into the lesions|into the scar|into the scars|into the keloid
intratracheal|into the windpipe|into the trachea
intrathecal|into the spinal fluid
topical|topically|applied to the skin|on the skin|put on the skin
rectal|rectally|into the rectum|by the rectum|per rectum
vaginal|vaginally|into the vagina
inhaled|by inhalation|breathed in
nasal|nasally|into the nose|intranasal|intranasally
sublingual|under the tongue
pressure ulcers|pressure sores|bedsores
pressure ulcer|pressure sore|bedsore
rapid|fast
at bedtime|at night|nightly|every night|before bed|in the evening
in the morning|every morning|each morning
once daily|once a day|every 24 hours
twice daily|twice a day|two times a day|2 times a day|every 12 hours|two times daily
three times daily|three times a day|3 times a day|every 8 hours
four times daily|four times a day|4 times a day|every 6 hours
weekly|once a week|once weekly|every week|each week|every 7 days|every seven days
twice a week|twice weekly|two times a week
monthly|once a month|once monthly|every month|each month
every two weeks|every 2 weeks|fortnightly|once a fortnight|every other week
yearly|annually|once a year|every year|each year|per year
quickly|rapidly
spread|spreads|passed on|transmitted|is transmitted
slowly|gradually
asymptomatic|without symptoms|no symptoms|symptom-free|symptomless
uncontrolled|without a control group|no control group|without a control arm|no control arm|had no controls
unblinded|not blinded|not masked|unmasked|open-label|open label
placebo|dummy treatment|inactive treatment
unlicensed|not licensed|unapproved|not approved|no approval|without approval
must not be used|is contraindicated|are contraindicated|contraindicated|should not be used|must not be given|should not be given|contraindications to|contraindication to|a contraindication to|should not use|must not use|advises against use|advises against using|recommends against use|recommends against using
as needed|on demand|when required
alone|by itself|on its own|by themselves|as monotherapy|on their own|monotherapy
in combination with|combined with|together with|in addition to|added to|along with|plus|alongside|as well as
statistically significant|significant|statistical significance
statistically significantly|significantly
did not differ significantly|was not significantly different|were not significantly different|no significant difference|not a significant difference|difference was not significant|difference that was not significant|without a significant difference|with no significant difference
usual care|standard care|routine care
systematic review|structured review
meta-analysis|pooled analysis
adverse effects|side effects|side-effects|adverse events|adverse reactions|unwanted effects|undesirable effects|ill effects
stopped treatment|discontinued treatment|came off treatment|discontinuation|discontinued|stopped taking|stopped|quit
dose adjustment|adjusting the dose|dose change
run in families|inherited|hereditary|passed on in families
autosomal recessive|recessive
gene|genes
inherited from one parent|autosomal dominant|dominant
enlarged|bigger than normal
weakness|feebleness
tired|fatigue|tiredness|fatigued
moisturiser|emollient|moisturizer
moisturisers|emollients|moisturizers
2 weeks|a fortnight|one fortnight|a couple of weeks
12 months|a twelvemonth
shaking|tremor|tremors|trembling
tablet|pill|tablets|pills
physiotherapy|physical therapy
blood test|blood tests|laboratory test of blood
weakened immune system|immunocompromised|immunosuppressed|weak immune system|impaired immunity
irrigated|rinsed|washed out|flushed out
irrigation|rinsing|washing out
x-ray|radiograph|radiography|x-rays
pulsed dye laser|pdl
intense pulsed light|ipl
photodynamic therapy|pdt
platelet-rich plasma|prp
confidence interval|ci
hazard ratio|hr
micrometres|micrometers|microns|micrometre|micrometer
"""


_TOO = re.compile(r"\btoo (\w+) to (?:be )?(\w+)", re.IGNORECASE)
"""What denies without saying so: "too different to pool"."""


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], dict[str, str]]:
    form: dict[str, str] = {}
    for line in _TERMS.strip().splitlines():
        first, *others = line.split("|")
        for term in (first, *others):
            # The first form is looked for too, so that a part of it is not put into it again.
            form[term] = first
    terms = sorted(form, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, terms))})(?![\w-])", re.I), form


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The text with each known term in its first form."""
    pattern, form = _patterns()
    found = pattern.sub(lambda m: form[m[0].lower()], text)
    return _TOO.sub(r"so \1 as not to \2", found)
