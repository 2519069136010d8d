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
intrathecal|into the spinal fluid|into the spinal canal
topical|topically|applied to the skin|on the skin|put on the skin|to the skin surface|to the surface of the skin|onto the skin
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
conditionally recommended|weakly recommended
conditionally recommends|weakly recommends
conditionally recommend|weakly recommend
conditional recommendation|weak recommendation
conditional recommendations|weak recommendations
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
anaemia|anemia|low haemoglobin|low hemoglobin
leukopenia|leucopenia|low white cell count|low white blood cell count
neutropenia|low neutrophil count|low neutrophils
thrombocytopenia|low platelet count|low platelets
hyperkalaemia|hyperkalemia|high potassium|raised potassium
hypokalaemia|hypokalemia|low potassium
hyponatraemia|hyponatremia|low sodium
hypercalcaemia|hypercalcemia|high calcium|raised calcium
hyperlipidaemia|hyperlipidemia|dyslipidaemia|dyslipidemia
jaundice|icterus|yellowing of the skin|yellow skin
ascites|fluid in the abdomen
tachycardia|fast heart rate|rapid heart rate|rapid pulse|racing heart
bradycardia|slow heart rate|slow pulse
heart rate|pulse rate
cardiac arrest|heart stopped
arrhythmia|irregular heartbeat|irregular heart rhythm|rhythm disturbance|rhythm disturbances|arrhythmias
syncope|fainting|fainted
haematuria|hematuria|blood in the urine
proteinuria|protein in the urine
dysuria|pain on urination|painful urination
urinary tract infection|urine infection|uti
pneumonia|infection of the lung
tonsillitis|sore throat
rhinorrhoea|rhinorrhea|runny nose
nasal congestion|blocked nose|stuffy nose
cough|coughing
wheeze|wheezing
abdominal pain|stomach pain|belly pain|stomach ache|tummy pain
dyspepsia|indigestion
reflux|heartburn|acid reflux
dysphagia|difficulty swallowing|trouble swallowing
anorexia|loss of appetite|poor appetite
dry mouth|xerostomia
mouth ulcers|aphthous ulcers|oral ulcers
cheilitis|inflamed lips|chapped lips
conjunctivitis|pink eye
blurred vision|blurring of vision
tinnitus|ringing in the ears
hearing loss|deafness
vertigo|spinning sensation
paraesthesia|paresthesia|tingling|pins and needles
numbness|loss of feeling
paralysis|palsy
dementia|dementias
anxiety|anxiousness
depression|depressive disorder|depressive illness
suicidal ideation|suicidal thoughts
agitation|restlessness
confusion|delirium
myopathy|muscle disease
back pain|backache
osteoporosis|brittle bones
fracture|broken bone
fractures|broken bones
varicose veins|varicosities
deep vein thrombosis|dvt|clot in a deep vein
pulmonary embolism|lung clot|clot in the lung
haematoma|hematoma|haematomas|hematomas
blister|bulla|blisters|bullae
crust|crusts|scab|scabs|crusting|scabbing
scaling|flaking|peeling|desquamation
atrophy|thinning of the skin
hyperpigmentation|darkening of the skin|skin darkening
hypopigmentation|lightening of the skin|loss of pigment|skin lightening|pigment loss
telangiectasia|telangiectasias|dilated vessels|spider veins|visible vessels
acne|acne vulgaris
eczema|atopic dermatitis|atopic eczema
hyperhidrosis|excessive sweating
warts|verrucae
tinea pedis|athlete's foot
onychomycosis|fungal nail infection|nail fungus
candidiasis|thrush|candidosis
zoster|shingles|herpes zoster
varicella|chickenpox
cold sores|herpes labialis
pertussis|whooping cough
measles|rubeola
influenza|flu
gastroenteritis|stomach flu
sepsis|blood poisoning
abscess|abscesses
cellulitis|infection of the skin
anaphylaxis|severe allergic reaction
angioedema|angio-oedema
coronary heart disease|coronary artery disease|ischaemic heart disease|ischemic heart disease
peripheral artery disease|peripheral arterial disease
chronic kidney disease|chronic renal disease|ckd
chronic obstructive pulmonary disease|copd
gallstones|cholelithiasis
cholecystectomy|gallbladder removal|removal of the gallbladder
appendicectomy|appendectomy|appendix removal
hysterectomy|womb removal|removal of the womb
mastectomy|breast removal|removal of the breast
tonsillectomy|tonsil removal|removal of the tonsils
knee arthroplasty|knee replacement
hip arthroplasty|hip replacement
electrocardiogram|ecg|ekg
echocardiography|echocardiogram|heart ultrasound|cardiac ultrasound
ultrasonography|ultrasound|sonography
magnetic resonance imaging|mri
computed tomography|ct scan
lumbar puncture|spinal tap
colonoscopy|colonoscopies
blood cultures|cultures of blood
creatinine clearance|crcl
glomerular filtration rate|gfr
body mass index|bmi
low-density lipoprotein|ldl
menopause|climacteric
postmenopausal|after the menopause|past the menopause
postpartum|after birth|after delivery|after childbirth|postnatal
menstrual periods|menses|menstruation
period pain|dysmenorrhoea|dysmenorrhea
stillbirth|fetal death
contraception|birth control
sexually transmitted infections|stis|sexually transmitted diseases
erectile dysfunction|impotence
benign prostatic hyperplasia|enlarged prostate
incontinence|leakage of urine
epistaxis|nosebleed
flare-up|exacerbation|exacerbations|flare-ups
wound breakdown|wound dehiscence|dehiscence
readmission|return to hospital|hospital readmission
death from any cause|all-cause mortality|overall mortality|death of any cause|all-cause death
adipose|fat tissue|fatty tissue|adipose tissue
epidermal|of the epidermis|in the epidermis
melanin|epidermal pigment
platelets|thrombocytes
red blood cells|erythrocytes
white blood cells|leukocytes|leucocytes
clotting|coagulation
anticoagulants|blood thinners|anticoagulant drugs
diuretics|water tablets|water pills
analgesics|painkillers|pain relievers|analgesia|pain relief
antiemetics|anti-sickness drugs|anti-vomiting drugs
antipyretics|fever reducers
laxatives|laxative drugs
antihistamines|antihistamine drugs
hypnotics|sleeping pills|sleeping tablets
vaccination|immunisation|immunization
vaccine|jab
once every two weeks|biweekly
on an empty stomach|fasting|without food
excessive dose|too high a dose
first-choice|first choice|treatment of choice|drug of choice|first-line|first line
second-choice|second line|second-line
care home|nursing home
health professionals|clinicians|healthcare professionals|health workers
under anaesthesia|anaesthetised|anesthetised
general anaesthesia|general anesthesia|general anaesthetic|general anesthetic
local anaesthesia|local anesthesia|local anaesthetic|local anesthetic
single-centre|single-center|one-centre|one centre|a single centre|a single center|one hospital
multicentre|multicenter|several centres|many centres
cross-over|crossover
split-face|half-face
"""


_TOO = re.compile(r"\btoo (\w+) to (?:be )?(\w+)", re.IGNORECASE)
_ABSENT = re.compile(r"\b(?:in (?:the )?absence of|devoid of)\b")
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
    by_letter: dict[str, list[str]] = {}
    for term in terms:
        by_letter.setdefault(term[0], []).append(re.escape(term[1:]))
    # By first letter, and without regard to case: several times as fast.
    choices = "|".join(f"{re.escape(a)}(?:{'|'.join(rest)})" for a, rest in by_letter.items())
    return re.compile(rf"(?<![\w-])(?:{choices})(?![\w-])"), form


_LETTERS_OF = re.compile(r"\b([A-Z]{2,5})-(?=[a-z]+ed\b)")
"""Letters before a participle: "PDL-mediated"."""


_WITH_IT = re.compile(
    r"\b(with(?:out)? )([a-z][\w-]*(?: [a-z][\w-]*){0,2}?)( (?:and|or|than|against|versus)\b[^;]{0,60}?\bwith(?:out)? )"
    r"(?:it|them|one)\b",
    re.IGNORECASE,
)
""" "without A and in those with it": what "it" stands for."""


_NO_LONGER = re.compile(r"\bno longer\b(?! (?:than|for\b))")
_OR_MORE = re.compile(
    r"\b([\w.]+) or (more|fewer|less) (minutes|hours|days|weeks|months|years)\b", re.IGNORECASE
)
_OVER_70S = re.compile(r"\b(over|under)[- ](\d+)s\b", re.IGNORECASE)
_YEAR_OLDS = re.compile(
    r"\b(\d+)-? (?:to|or|and) (\d+)[- ](year|month|week)[- ]olds?\b", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The text with each known term in its first form."""
    pattern, form = _patterns()
    text = _LETTERS_OF.sub(r"\1 ", text)
    text = _NO_LONGER.sub("not", text.replace("per cent", "percent"))
    text = _OR_MORE.sub(r"\1 \3 or \2", text)
    text = _OVER_70S.sub(r"people \1 \2", text)
    text = _YEAR_OLDS.sub(r"people aged \1 to \2 \3s", text)
    lower = text.lower()
    if len(lower) != len(text):
        lower = text  # a letter that has no single lower case
    parts, at = [], 0
    for m in pattern.finditer(lower):
        parts += [text[at : m.start()], form[m[0]]]
        at = m.end()
    found = _WITH_IT.sub(r"\1\2\3\2", "".join([*parts, text[at:]]))
    return _ABSENT.sub("without", _TOO.sub(r"so \1 as not to \2", found))
