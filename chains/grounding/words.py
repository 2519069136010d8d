"""Closed classes of words by which a claim is told from another one, in the field's terms.

Every entry is a stem as `store.lexical.stem` gives it; `group` files whole words under one name.
"""

from store.lexical import stem


def stems_of(text: str) -> frozenset[str]:
    """The stems of the words."""
    return frozenset(stem(w) for w in text.split())


def _grouped(text: str) -> dict[str, str]:
    """By stem, the name of its group: the first word of its line."""
    found: dict[str, str] = {}
    for line in text.strip().splitlines():
        first, *_ = line.split()
        for word in line.split():
            found.setdefault(stem(word), first)
    return found


SAME: dict[str, str] = _grouped("""
child children childhood pediatric paediatric kid kids youngster
infant infants infancy baby babies newborn neonate neonates neonatal
adult adults grown-up
elderly older aged geriatric senior
woman women female females lady
man men male males
pregnancy pregnant gestation gestational antenatal
lactation lactating breastfeeding breastfed nursing
patient patients people person persons participant participants subject subjects individual individuals volunteer volunteers those someone
improve improved improvement improving better benefit benefits beneficial benefited gain gains outperform outperformed
reduce reduced reduction reduces fallen falling decrease decreased decreases lower lowered lowers fall fell falls drop dropped decline declined fewer less lessen cut diminish shrink shrank shrunk shrinkage halve halved halving shorten shortened least lowest fewest
increase increased increases risen rising rise rose rises raise raised higher greater more most highest greatest elevate elevated grew grow larger longer largest exceed exceeded
worse worsen worsened worsening deteriorate deterioration aggravate
recur recurs recurred recurrence recurrent return returned relapse relapsed reappear regrow regrowth
persist persisted persistent remain remained remaining last lasting
pain painful hurt hurts hurting ache
itch itching pruritus itchy pruritic
redness red erythema erythematous redder
effective efficacy effectiveness efficacious work works worked
adverse side harm harms harmful untoward unwanted
effect effects event events reaction reactions complication complications
severe serious severity grave
mild slight minor
start started begin began begun initiate initiated commence commenced onset
stop stopped interrupt interrupted interrupting pause paused discontinue discontinued cease ceased withhold withheld withholding halt quit
continue continued carry
trial trials rct
study studies investigation research
randomised randomized randomly randomisation rct
review reviews overview
meta-analysis metaanalysis
guideline guidelines guidance
recommend recommends recommended recommendation recommendations advise advises advised advice endorse endorsed
prefer prefers preferred preference favour favor favoured favored favours
warn warned warning warns caution cautions alert alerted
dose doses dosage dosed dosing
drug drugs medication medications medicine medicines agent agents
treat treated treating treatment treatments therapy therapies therapeutic regimen
laser lasers lasered
surgery surgical operation operative surgically
oral orally mouth peroral
topical topically cream ointment gel
intralesional intralesionally
intravenous intravenously iv
intramuscular intramuscularly im
subcutaneous subcutaneously sc
inject injected injection injections injecting injectable
apply applied application
give given gives administer administered administration receive received receiving get got
cause caused causes causing induce induced
prevent prevents prevented prevention preventing avoid avoided prophylaxis prophylactic avert
associate associated association associations linked link correlate correlated
occur occurred occurs occurrence arose arise developed develop develops appeared appear happen happened seen found noted affected had
report reports reported reporting describe described describes documented
show showed shown shows demonstrate demonstrated
suggest suggested suggests indicate indicated
conclude concluded conclusion
compare compared comparing comparison versus vs against
combine combined combination combining together plus added adding addition add joint
alone monotherapy only solely by-itself
placebo sham vehicle dummy
control controls untreated
observe observation observed waiting wait watchful
day days daily
week weeks weekly wk
month months monthly
year years yearly annual annually yr
hour hours hourly
minute minutes min
session sessions visit visits
pass passes
infection infections infected infect
bleed bleeding haemorrhage hemorrhage bled
death deaths died die dies mortality fatal fatality
cancer cancers carcinoma carcinomas malignancy malignant tumour tumor neoplasm
scar scars scarring
wound wounds
lesion lesions
swelling oedema edema swollen
allergy allergic hypersensitivity
nodule nodules lump lumps
hypoglycaemia hypoglycemia hypoglycaemic hypoglycemic
clear cleared clears clearance clearing resolve resolved resolution resolving
fade faded fading lighter blanch blanched blanching lightened
dark darker darkened darkening
approve approved approval licensed authorised authorized
unapproved unlicensed unauthorised
skin cutaneous
face facial
eye eyes ocular
heart cardiac
kidney renal
liver hepatic
lung pulmonary
blood sugar
first initial earliest
second
third
quality certainty
low poor
insufficient inadequate little
unclear uncertain unknown undetermined
evidence data
author authors investigator investigators researcher researchers
group groups arm arms
half halves
twice double doubled doubling two-fold twofold
triple tripled threefold
large big
small tiny
early earlier
late later
feed feeds feeding fed meal food eat eats eating
month-old months-old
fda agency
single one
judged rated graded assessed scored evaluated measured
noticed saw felt thought perceived
ranged ranges range ran runs span spanned
asks wants calls asked call ask
finished finish complete completed completing
conventional standard usual ordinary
manufacturer maker producer
changed varied altered change
commoner common frequent often frequently commonly
limit limits limited restrict restricted restricts
hold held
told tell informed inform
outcome outcomes endpoint endpoints
quickly quick fast faster fastest rapid rapidly
enough sufficient adequate
advantage advantages edge
clinic clinical
hair-loss alopecia
bulky thick thickened
pigment pigmentation pigmented dyschromia
wrinkle wrinkles wrinkling
vessel vessels vascular
biopsy biopsies histology histological biopsied
cosmetic aesthetic aesthetics
sun ultraviolet uv sunlight
excise excised excision removed removal remove
growth grow grows growing proliferating proliferate proliferative
weight bodyweight
stroke strokes infarction
antibiotic antibiotics antimicrobial antimicrobials antibacterial
steroid steroids corticosteroid corticosteroids glucocorticoid
fever febrile pyrexia
hypertension hypertensive
attack attacks episode episodes flare flares
itself own
combine-drug combination
ache headache headaches
readmission readmitted rehospitalisation rehospitalised hospitalisation hospitalised admission admitted admissions
cohort population
several multiple many numerous
follow-up followup followed
home household
vomit vomiting vomits
delay delayed delays delaying postpone postponed gap
old older
modern newer new
article articles paper papers publication publications
cryotherapy cryosurgery
need needed needs necessary require required requires
measure measures measured
rate rates proportion share percentage percent frequency
cover covered
stay staying stayed
keep kept
fail failed failing failure failures
succeed success successful successfully
survive survival survived
risk risks hazard hazards probability likelihood chance odds
safe safety safely
unsafe dangerous
""")
"""Words that say the same in a sentence on evidence, by stem."""

OPPOSITE: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (stems_of(a), stems_of(b))
    for a, b in (
        (
            "increase increased rise rose raise raised higher greater more most highest greatest elevate elevated grew grow larger longer largest exceed",
            "reduce reduced reduction decrease decreased lower lowered fall fell drop dropped decline declined fewer less lessen cut diminish shrink shrank shrunk shrinkage halve halved halving shorten shortened least lowest fewest halved halve",
        ),
        (
            "improve improved improvement favour favoured favours favor favored better benefit superior outperform outperformed best exceed",
            "worse worsen worsened worsening deteriorate deterioration inferior worst underperform",
        ),
        ("before prior previously pre", "after following afterwards post since"),
        ("early earlier earliest", "late later latest"),
        ("recent fresh", "old mature longstanding"),
        ("darker darkened darkening dark", "lighter lightened fade faded blanched"),
        ("effective efficacious", "ineffective"),
        ("safe safely", "unsafe dangerous"),
        ("sufficient adequate enough", "insufficient inadequate"),
        (
            "start started begin began initiate",
            "stop stopped discontinue discontinued withhold withheld",
        ),
        ("recommend recommended advise advised endorse", "discourage discouraged contraindicated"),
        ("faster quicker sooner fastest", "slower slowest slow slows slowed"),
        ("positive", "negative"),
        ("persisted persists", "resolved resolves disappeared vanished healed cleared"),
        (
            "continue continued continuing continues resume",
            "stop stopped stopping discontinue discontinued interrupt",
        ),
        ("transient temporary reversible", "permanent irreversible"),
        ("painless", "painful"),
        ("complete completely", "partial partially incomplete"),
        ("present", "absent"),
        ("common frequent frequently commonly often", "rare rarely uncommon infrequent seldom"),
        ("gain gained", "loss lost lose"),
        ("shorter shortest short", "longer longest long"),
        ("many", "few"),
        (
            "strong stronger strongest strongly",
            "weak weaker weakest weakly conditionally conditional",
        ),
        ("acceptable accepted allowed", "unacceptable forbidden"),
        ("stable unchanged", "progressive progressed"),
        ("succeeded success", "failed failure"),
        ("younger youngest", "older oldest"),
        ("upward", "downward"),
        ("cover covered include included within", "exclude excluded outside"),
        ("high", "low"),
    )
)
"""Pairs of which a sentence must not have one where its statement has the other alone."""

NEGATORS = frozenset(
    "no not never without neither nor none nothing cannot lack lacks lacked lacking absence absent "
    "free failed fails fail failing unable incapable devoid nobody nowhere hardly scarcely barely instead unchanged unaffected untouched unaltered uninfluenced undiminished".split()
)

DOUBT = frozenset(
    "may might could possible possibly perhaps suggest suggests suggested appear appears appeared "
    "seem seems seemed likely probable probably potential potentially unclear uncertain uncertainty "
    "unknown pending ongoing awaited unproven untested undetermined preliminary believed thought theoretical theoretically presumed hypothesised "
    "hypothesized tend tends tended anecdotal variably variable inconsistent inconsistently partially "
    "modest modestly".split()
)
"""Hedges that make another claim of a sentence when they go."""
FREQUENCY_HEDGES = frozenset(
    "often sometimes usually mostly mainly generally typically partly rarely occasionally "
    "some few largely".split()
)

CLAIMS: dict[str, str] = {
    w: name
    for name, text in {
        "certainty": "never worldwide globally everywhere prove proves proved proven proof always all every everyone definitely "
        "certainly clearly guarantee guarantees guaranteed cure cures cured curative will undoubtedly ineffective unhelpful spontaneously consistently uniformly clinically "
        "completely entirely fully totally established conclusively definitive definitively "
        "unequivocally invariably universally confirm confirms confirmed ensures ensure "
        "significant significantly safe safely effective efficacious equal equally equivalent "
        "identical same best ideal reliably routine routinely well-established sure standard "
        "comparable similar similarly exactly any only "
        "durable durably enduring sustained long-lasting solid robust convincing convincingly "
        "compelling conclusive strikingly dramatic dramatically useless worthless harmless "
        "everyone pointless perfect perfectly flawless superior superiority whoever whatever whichever "
        "wherever whenever everybody regardless irrespective unlimited "
        "unrestricted unrestrictedly unconditionally",
        "causal": "cause causes caused causing because therefore thus hence consequently due owing "
        "thanks leads lead led leading results resulted resulting attributable induces "
        "induced prevents prevent prevented preventing protects protect protected protective "
        "responsible triggers trigger triggered explains explain explained so thereby slows "
        "abolish abolishes abolished eradicates eliminates eliminate eliminated produces since via through",
        "instruction": "should must ought recommend recommends recommended recommendation advise "
        "advises advised indicated contraindicated first-line mandatory obligatory required need "
        "needs necessary preferred favoured favored reject rejects rejected rejecting oppose opposes opposed forbid forbids forbidden ban bans banned prohibit prohibits prohibited refuse refuses refused avoid avoided prescribe prescribed consider "
        "encourage encourages encouraged urge urges endorse endorses endorsed warn warns",
        "exclusive": "only solely exclusively unless except",
    }.items()
    for w in text.split()
}
"""Words that claim more than a bare finding: the cited statements must have them, or their like."""

LIKE_CLAIMS: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "should must ought recommend recommends recommended recommendation recommendations advise "
        "advises advised advice endorse endorses endorsed asks ask first-line first-choice prefers "
        "preference preferred favoured favored choice urge urges need needs needed necessary",
        "need needs needed necessary required requires require",
        "avoid avoided withhold withheld withholding against contraindicated stop stopped avoiding "
        "reject rejects rejected rejecting oppose opposes opposed discourage discourages discouraged",
        "forbid forbids forbidden ban bans banned prohibit prohibits prohibited contraindicated never",
        "refuse refuses refused decline declines declined",
        "superior superiority better outperform outperformed best favour favoured favours",
        "durable durably enduring sustained lasting long-lasting permanent persistent persist persisted",
        "robust solid convincing compelling strong strongly conclusive",
        "cause causes caused causing induce induces induced",
        "because due owing since therefore thus hence consequently reason reasons",
        "because due owing led caused resulted",
        "unless except if",
        "lead leads led leading result results resulted resulting",
        "prevent prevents prevented preventing prevention prophylaxis prophylactic avert",
        "prove proves proved proven proof",
        "all every each any throughout whole both",
        "everyone everybody all every",
        "whoever whatever whichever wherever whenever regardless irrespective all every both either",
        "effective efficacy efficacious effectiveness works work worked helps help",
        "equal equally equivalent identical same as alike",
        "similar similarly comparable alike",
        "significant significantly p",
        "only solely exclusively alone just merely limited limit limits restrict restricts restricted",
        "prescribe prescribed prescribes give gives given",
        "warn warns warned warning alert caution against",
        "standard conventional usual",
        "confirm confirms confirmed",
        "cure cures cured curative",
        "best most highest greatest largest",
        "protect protects protected protective",
        "through via by",
        "slow slows slowed",
        "indicated indication",
    )
)

POPULATIONS: dict[str, str] = _grouped("""
child children childhood pediatric paediatric kid kids
adolescent adolescents teenager teenagers teen teens
infant infants infancy baby babies newborn neonate neonates neonatal toddler toddlers preterm
adult adults
elderly geriatric octogenarian octogenarians
woman women female females
man men male males
pregnancy pregnant gestation gestational
lactation lactating breastfeeding
mouse mice murine rat rats rabbit rabbits pig pigs porcine animal animals dog dogs canine rodent rodents zebrafish monkey monkeys primate primates
vitro
human humans
smoker smokers
diabetic diabetics diabetes
immunosuppressed immunocompromised immunosuppression
""")
"""Groups of people, animals and test tubes, by stem."""
NOT_PEOPLE = frozenset({"mouse", "vitro"})
GENERAL_PEOPLE = stems_of(
    "patient patients people person participant participants individuals humans"
)

ROUTES: dict[str, str] = _grouped("""
oral orally mouth peroral swallowed tablet tablets capsule capsules
topical topically cream ointment gel lotion
intralesional intralesionally
intravenous intravenously iv infusion infused
intramuscular intramuscularly
subcutaneous subcutaneously
inhaled inhalation nebulised nebulized
rectal rectally
vaginal vaginally
transdermal patch
intradermal intradermally
sublingual
nasal intranasal intranasally
epidural
intrathecal
injected injection injections
systemic systemically
""")

GENERIC = stems_of("""
according account accounts based basis per said say says state states stated stating note notes
noted hold holds write writes wrote conclude concludes concluded observe finding findings found
find finds result results trial trials study studies series report reports reported reporting
review reviews evidence data author authors investigators publication published work body paper
show shows showed shown describe describes described present presented document documented
overall also additionally moreover furthermore however whereas while although though yet
respectively each both among amongst within across throughout during over about around roughly
approximately nearly almost some respect regard regarding terms term case cases number numbers
total totals amount amounts level levels value values figure figures use used using uses involve
involved involving include included includes including consist consisted comprise make made makes
take took taken takes given give gives gave get seen see saw see set sets place places part parts
time times point points period course way ways mean means one ones thing things kind kinds type
types form forms group groups arm arms person people patient patients participant participants
subject subjects individual individuals volunteers side against towards toward upon than then there here
summary summarise summarised summarises summarizes summary put come came go went going back well
still already even just quite rather whether either like such so much many more most less few
several different various certain same other others another further next last then
was were been being have having do done does did will would can could may might
rated judged graded assessed remained noticed felt thought cohort population
keep keeps kept keeping bring brings brought accompany accompanied accompanies undergo underwent
available existing known current currently recently recent to-date date far
""")
"""Words that add no claim of their own to what a sentence says of a finding."""

META = frozenset(
    "i we our ours my me us you your yours assistant ai chatbot model prompt system disclaimer "
    "ignore disregard instruction instructions reader verified click website "
    "subscribe download please hereby dear hello sorry".split()
)
"""Words by which a text speaks of itself or to its reader."""

CONTRASTS: tuple[frozenset[str], ...] = tuple(
    stems_of(line)
    for line in (
        "strongly conditionally weakly",
        "low standard high",
        "combination combined both plus alone monotherapy only",
        "oral topical intralesional intravenous systemic",
        "before after during",
        "men women",
        "children adults infants",
        "placebo active",
        "double single",
        "superficial deep",
        "early late",
        "mild moderate severe",
    )
)
"""Words that tell the sides of a comparison apart."""

ABOUT = frozenset(
    "about around roughly approximately approx nearly almost some circa close near just under over "
    "a-little little slightly quite approaching nearing good well barely more less least most than".split()
)
