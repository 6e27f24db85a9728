"""Notes for `note_release.py --sets independent`, written by a hand that had not seen the rules: 60 styles, each twice.

Whole notes instead of sentences drawn at random: letters, forms, lists, text messages and dictation from the United
Kingdom, Ireland, the United States, Canada, Australia and New Zealand. All people, numbers and addresses are invented.

In a text, `{kind:one|other}` is an identifier of that kind, as it stands in the first and in the second note of the
style; `{kind:both}` stands in both, and an empty side in one only. `{x:one|other}` is no identifier. Marked is what
Safe Harbor lists: names, places below a state, all of a date but a year alone, numbers and addresses of all kinds, ages
above 89; and as in the other sets those of clinicians and hospitals. Titles, relations ("wife"), countries, states,
years, single weekdays and makers' names are not marked, nor is what a place is ("Ward", "solicitors") behind its name.
"""

from __future__ import annotations

import random
import re
from datetime import date
from typing import NamedTuple

from data_schemas.scan import PatientFacts


class Patient(NamedTuple):
    """What the records say of whom a note is about, and when it was written."""

    name: str
    born: date
    ids: tuple[str, ...]
    written: date


class Note(NamedTuple):
    """A note, each identifier in it as kind, from, to, and what is known beside it."""

    style: str
    text: str
    spans: tuple[tuple[str, int, int], ...]
    facts: list[PatientFacts]
    written: date
    shift_days: int


def independent_notes() -> list[Note]:
    """The notes, always the same ones."""
    notes = []
    for number, (style, first, second, marked) in enumerate(STYLES):
        for side, patient in enumerate((first, second)):
            text, spans = read(marked, side)
            facts = [PatientFacts(patient_id=one, name=patient.name, birth_date=patient.born) for one in patient.ids]
            notes.append(Note(style, text, spans, facts, patient.written, shift(random.Random(2 * number + side))))
    return notes


def read(marked: str, side: int) -> tuple[str, tuple[tuple[str, int, int], ...]]:
    """The text of one side of a style, and its identifiers.

    Raises ValueError where the markup is broken.
    """
    text = ""
    spans = []
    for piece in re.split(r"(\{[^{}]*\})", marked):
        if not piece.startswith("{"):
            if re.search(r"[{}]", piece):
                raise ValueError(f"a bracket without its other: {piece!r}")
            text += piece
            continue
        kind, _, values = piece[1:-1].partition(":")
        sides = values.split("|")
        if not kind.isalnum() or len(sides) > 2:
            raise ValueError(f"no markup: {piece!r}")
        value = sides[side % len(sides)]
        if kind != "x" and value:
            spans.append((kind, len(text), len(text) + len(value)))
        text += value
    return text, tuple(spans)


def shift(rng: random.Random) -> int:
    """Days by which a note's dates move: never whole weeks, nor about whole years, so that a moved date looks moved."""
    while True:
        days = rng.randrange(365, 3652)
        if days % 7 and 60 < days % 365.25 < 305:
            return days


STYLES: list[tuple[str, Patient, Patient, str]] = [
    (
        "discharge letter, England",
        Patient("Pemberton^Maureen Joy", date(1946, 2, 17), ("K881204", "4857736915"), date(2023, 11, 20)),
        Patient("Oduya^Adaeze Funmilayo", date(1952, 9, 30), ("K340975", "9434765870"), date(2022, 5, 9)),
        """\
{facility:St Wulfstan's Hospital|Bramhope General Hospital}
{ward:Malvern|Otley} Ward, Level 3

Our ref: {initials:RJT|CMG}/{mrn:K881204|K340975}
NHS No: {nhs:485 773 6915|943 476 5870}
Dictated {date:18/11/2023|7 May 2022}   Typed {date:20/11/2023|9 May 2022}

Dr {clinician:S Rathbone|P Venkatesan}
{x:The |}{practice:Elms Surgery|Chevin Road Medical Practice}
{street:14 Station Approach|2 Chevin Road}
{town:Upton upon Severn|Menston}
{postcode:WR8 0QQ|LS29 6PD}

Dear Dr {clinician:Rathbone|Venkatesan},

Re: Mrs {patient:Maureen Pemberton|Adaeze Oduya}, DOB {birth:17/02/1946|30 Sept 1952}, {street:Flat 6, Teme Court|31 \
Bingley Rise}, {town:Upton upon Severn|Guiseley}

Diagnosis: community-acquired pneumonia, left lower lobe. Type 2 diabetes. Hypertension.

Thank you for asking us to see this pleasant lady, who was admitted on {date:11 November|28th April} with a five-day \
history of productive cough and rigors. CRP peaked at 211. She was treated with co-amoxiclav and clarithromycin and \
was weaned off oxygen by the {date:15th|2nd May}. Mrs {patient:Pemberton|Oduya} is a retired teacher and lives with \
her husband {relative:Clive|Emeka}; her son {relative:Duncan|Tobenna} holds power of attorney. She will have a \
repeat chest film in six weeks.

Yours sincerely,


Mr {clinician:Rupert J. Thwaites|Conor McGilligan}
Consultant Physician
GMC {registration:6142087|4718853}""",
    ),
    (
        "radiology request, US",
        Patient("Castellano^Dominic", date(1961, 7, 8), ("00719344",), date(2021, 3, 16)),
        Patient("Truesdale^Raymond Lee", date(1957, 12, 1), ("00853102",), date(2018, 10, 2)),
        """\
RADIOLOGY REQUEST - OUTPATIENT
Pt: {patient:CASTELLANO, DOMINIC|TRUESDALE, RAYMOND LEE}     Sex: M    DOB {birth:07/08/1961|12/01/57}
MRN {mrn:00719344|00853102}    Acct {account:V-20118834|V-18700451}
Exam requested: CT chest w/o contrast
Requesting: {clinician:Melanie Strobridge|Hubert Naquin}, NP    Phone {phone:(330) 555-0182|337-555-0149}   Fax \
{phone:(330) 555-0183|337-555-0150}
Reason for exam: 30 pack-year smoker, 8 mm nodule RUL on outside CT dated {date:12/4/20|6/19/18} from \
{facility:Tallmadge Imaging Center|Bayou Teche Diagnostic Imaging}. Prior films on disc, pt will bring.
Allergies: NKDA. eGFR 74 on {date:3/9|9.25.18}.
Insurance: {x:Anthem ID |BCBS policy }{insurance:YRP884512039|XUA 90117 4426}. Auth # {id:A0093-55127|PA7710284}
Schedule for {date:Thursday March 25|Fri 10/12} if possible - pt works nights at {employer:Goodyear|Crowley Rice \
Mill}. OK to leave a message with wife {relative:Denise|Loretta Mae} at {phone:330.555.0119|(337)555-0177}.""",
    ),
    (
        "nursing note, US, lower case",
        Patient("Haverkamp^Lois", date(1929, 5, 21), ("5510982",), date(2020, 8, 14)),
        Patient("Bouknight^Ernestine", date(1926, 11, 3), ("6620417",), date(2019, 2, 6)),
        """\
{date:8/14/20|02-06-19} 0710 nsg note
rec'd report from {clinician:tammy|keisha}. {age90:91|92} yo f s/p orif l hip pod 2. pt \
{patient:haverkamp|bouknight} alert x2, thinks she is at home in {place:chillicothe|orangeburg}. dtr \
{relative:judy|bernice} at bedside, ph {phone:740 555 0126|803-555-0168}. pain 4/10, oxycodone 5 given 0645. iv l \
forearm patent. foley out {date:8/13|2/5} pm, voided 250. dr {clinician:lindgren|pettigrew} rounded, ok to start \
pt/ot. dtr asks about {x:|the }{facility:maple knoll village|methodist oaks} for rehab, sw {clinician:b. hartzell|jo \
ann gadsden} paged {x:ext |x }{phone:4417|2093}. ms. {patient:lois|ernestine} ate 50% of breakfast. id band checked \
{mrn:5510982|6620417}. will cont to monitor. -{clinician:d.osgood|p.mims} rn""",
    ),
    (
        "phone note, Australia",
        Patient("Warrick^Trevor Alan", date(1958, 4, 12), ("UR482917",), date(2022, 6, 24)),
        Patient("Papandreou^Stavros", date(1949, 1, 30), ("UR610038",), date(2021, 11, 5)),
        """\
PHONE CALL – {date:24.6.22|5 Nov 2021}, 11.40
Spoke to {patient:Trevor Warrick|Stavros Papandreou} (UR {mrn:482917|610038}; Medicare {insurance:3521 70964 1|2950 \
43817 2}; dob {birth:12/4/58|30-1-49}).
Rang from mobile {phone:0491 570 156|0491 571 804}, landline at {place:Bairnsdale|Coburg} is {phone:(03) 5550 \
3319|03 5550 7140}.
Says the drain site is still weeping, no fevers. Dressing last done by district nurse {clinician:Kerrie|Voula} on \
{date:Wednesday 22/6|3 November}. Discussed with A/Prof {clinician:Ian Cathcart|Naomi Drummond}: come to clinic \
{date:27/6|Mon 8 Nov} 9am, {facility:Sale Hospital|Merri Creek Private}, rooms on level 2. His mate \
{other:Davo|Kosta} will drive him in, ute rego {plate:1KQ 7TZ|BLX 042}. Scripts to be faxed to {org:Main Street \
Pharmacy|Bell St Chemist}, {phone:03 5550 8812|(03) 5550 2216}.
Email for the discharge summary: {email:twarrick58@bigpond.example|stav.papandreou@optus.example}
{clinician:L. Mundy|Bec Halloran}, CNS""",
    ),
    (
        "e-mail between clinicians, UK",
        Patient("Ferreira da Costa^Ines", date(1983, 10, 9), ("20771834",), date(2024, 1, 12)),
        Patient("van der Merwe^Annelise", date(1979, 6, 26), ("20914450",), date(2023, 2, 21)),
        """\
From: {clinician:Joanna Birtwistle|Alasdair Geddes} <{email:j.birtwistle@nhs.example|alasdair.geddes3@nhs.example}>
To: {clinician:Kumar, Vikram|Penhaligon, Tamsin} <{email:vikram.kumar@nhs.example|tpenhaligon@nhs.example}>
Sent: {date:12 January 2024|21 February 2023} 16:52
Subject: {patient:Ines Ferreira da Costa|Annelise van der Merwe} {mrn:20771834|20914450}

Hi {clinician:Vik|Tamsin},

Could you squeeze this lady in? {patient:Ines|Annelise} had her MRI on the {date:9th|17th Feb} and the lesion has \
doubled since {month:October|November}. I tried your secretary ({clinician:Shirley|Maxine}, ext {phone:53318|7702}) \
but no luck. She can be reached on {phone:07700 900417|07700 900 862} most afternoons, or through her partner \
{relative:Gonçalo|Pieter}. She is worried about childcare – twins start at {school:Hawthorn Bank Primary|St Piran's \
Nursery} next week.

Images are on the portal: {url:https://pacs.northmoor.example/s/88a1f2|http://viewer.tamarside.example/?acc=771204}

Thanks so much
{clinician:Jo|Alasdair}
--
Dr {clinician:J Birtwistle|A. M. Geddes}, ST6 Neurology, bleep {phone:2241|0675}
{facility:Northmoor Infirmary|Tamarside District Hospital}""",
    ),
    (
        "social work note, US",
        Patient("Whitehorse^Delbert", date(1970, 3, 4), ("3318075",), date(2019, 12, 18)),
        Patient("Kuznetsova^Galina", date(1966, 8, 22), ("3402916",), date(2022, 9, 30)),
        """\
SOCIAL WORK PROGRESS NOTE
Patient: {patient:Delbert Whitehorse|Galina Kuznetsova}
Medical Record #: {mrn:3318075|3402916}
Date/Time: {date:12/18/2019|09/30/2022} 3:15 PM

Met with the patient and {relative:Arlene Whitehorse|Lev} ({x:sister-in-law|brother}) at bedside. Patient has been \
staying at {x:|the }{facility:Joseph's House|Harbor Light Center}{x: shelter|} since losing an apartment at \
{street:880 E. Navajo Dr.|1417 Euclid Ave #3} in early {month:September|June}. Previously employed by {employer:Four \
Corners Welding|Petrosyan Bakery}. Case manager {x:|Mr. }{clinician:Tish Yellowhair|Brandon Ocasio} confirmed bed is \
held until {date:12/27|October 4th}; call {phone:505-555-0131|216 555 0104}. SSN ending verified; full number \
{ssn:521-08-4471|274 66 9013} given to financial counselling for the Medicaid application (case no. \
{id:NM-A-0038812|5029917736}). EBT card lost on {holiday:Thanksgiving|Labor Day}. Provided bus vouchers and a coat. \
Patient tearful when talking about the children, {relative:Jaylen|Oksana} and {relative:Skye|Misha}, who are with \
their grandmother {relative:Verna|Tamara} in {place:Farmington|Parma}. No SI/HI. Will follow.

{clinician:Rosalie Quiroz|Desmond Tatum}, LCSW   pager {phone:81-4426|30917}""",
    ),
    (
        "operation note, UK",
        Patient("Ashcroft-Bell^Gerald", date(1938, 12, 2), ("1093377",), date(2021, 7, 19)),
        Patient("MacAskill^Norman", date(1944, 6, 14), ("1170425",), date(2020, 1, 28)),
        """\
OPERATION NOTE
Name: {patient:Gerald ASHCROFT-BELL|Norman MACASKILL}      Hosp no: {mrn:1093377|1170425}      DOB: \
{birth:2.12.1938|14-Jun-1944}
Date: {date:19/07/21|28.1.20}       Theatre 4, {facility:Carrick Glen Hospital|Royal Sutherland Infirmary}
Surgeon: Miss {clinician:F Okonkwo-Reid|H. Balfour}   Assistant: {clinician:T Szabo|Jamie Lorimer}   Anaesthetist: \
Dr {clinician:Anand|N Cruickshank}
Scrub: S/N {clinician:Marisol Bautista|Kirsty Imrie}

Procedure: right total hip replacement, posterior approach
Findings: severe osteoarthritis, no infection
Implant: Exeter stem size 2, lot {serial:G7204418|MNX-5512-08A}; cup 54 mm ref 6309, SN {serial:KX003917|22B8804117}
Closure: Vicryl, clips. EBL 300 ml. Drain none.
Post op: LMWH 28 days, mobilise day 1, check X-ray. Clips out {date:2/8|10th February} by practice nurse at \
{practice:Kyle Street Surgery|Dornoch Medical Centre}.
Wife, {relative:Beryl|Mhairi}, telephoned on {phone:01632 960772|01632 960 145} at end of case.
Signed {clinician:F. Okonkwo-Reid|}{initials:|HB} {date:19/7/21|28/1/20}""",
    ),
    (
        "referral letter, Australia",
        Patient("Nakagawa^Emi", date(1991, 2, 11), ("8842201",), date(2023, 8, 3)),
        Patient("Fitzwilliam^Charlotte Anne", date(1988, 7, 19), ("9051177",), date(2021, 4, 14)),
        """\
{practice:Banksia Family Practice|Jetty Road Medical}
{street:Shop 3, 210 Cunningham St|88 Jetty Rd}
{town:DALBY|GLENELG} QLD {postcode:4405|5045}
Ph {phone:07 5550 4413|08 5550 9021}  Fx {phone:07 5550 4414|08 5550 9022}   Provider No \
{registration:2417765K|448210AX}

{date:3rd August 2023|14 April, 2021}

Dear {x:|Professor }{clinician:Sumitra|Lindqvist-Hay},

RE: Ms {patient:Emi Nakagawa|Charlotte Anne Fitzwilliam}
    {street:Lot 7 Moonie Hwy|Unit 12, 5 Broadway}, {town:Dalby|Glenelg South}
    M: {phone:0491 572 665|+61 491 573 770}   DOB: {birth:11/02/1991|19.7.88}

Thank you for seeing {patient:Emi|Charlotte}, a 32 year old woman with eight months of pelvic pain. Ultrasound at \
{facility:Darling Downs Radiology|Bay Imaging} on {date:17/7/23|31 March} showed a 4 cm endometrioma. CA-125 is 68. \
She is an apprentice with {x:|the }{employer:Heinrich & Sons Electrical|Adelaide Tram Works}. Her mother had ovarian \
cancer at 48. Current medications: nil. IHI {id:8003 6081 6669 0503|8003608833357361}.

Kind regards,
Dr {clinician:Belinda Jarrah|Marcus Theodoropoulos} MBBS FRACGP""",
    ),
    (
        "pathology report, US",
        Patient("Lindstrom-Pruitt^Karen", date(1965, 5, 5), ("70041882",), date(2020, 2, 27)),
        Patient("Abercrombie^Twyla", date(1959, 10, 13), ("70119360",), date(2017, 6, 8)),
        """\
SURGICAL PATHOLOGY REPORT                                   Case #: {id:S20-04417|SP-17-009882}
Patient: {patient:LINDSTROM-PRUITT, KAREN|ABERCROMBIE, TWYLA}          MRN: {mrn:70041882|70119360}
DOB: {birth:05/05/1965|Oct 13 1959}     Collected: {date:02/24/2020|6/5/17}    Received: {date:02/25/2020|6/6/17}    \
Reported: {date:02/27/2020|6/8/17}
Submitting physician: {clinician:Garrison Oyler|Wm. T. Hutchens Jr.}, D.O.        Location: {facility:Prairie Lakes \
Surgery Center|Smoky Hill Hospital}

FINAL DIAGNOSIS
Breast, left, core biopsy: invasive ductal carcinoma, Nottingham grade 2.
ER positive (95 %), PR positive (60 %), HER2 negative (1+).

GROSS: Received in formalin labeled "{patient:Lindstrom-Pruitt|Abercrombie, T} L breast 2:00" are four cores up to \
1.4 cm.

COMMENT: Results called to Dr {clinician:Oyler|Hutchens}'s nurse {clinician:Candace|Peg} at {phone:(605) \
555-0107|785/555-0133} on {date:2/27|June 8} at 10:20. Reviewed at consensus conference with Drs. \
{clinician:Ballantyne|Mehrotra} and {clinician:Kershaw|Tibbetts}.

Electronically signed out by {clinician:Yusuf Elmasry|Ingeborg Thorsen}, MD, {date:27-Feb-2020|08 June 2017}
CLIA {registration:43D0998812|17D0664290}""",
    ),
    (
        "emergency triage, Ireland",
        Patient("Mac Giolla Bhríde^Caoimhe", date(1997, 9, 18), ("D204417",), date(2022, 3, 18)),
        Patient("O'Loughlin^Fiachra", date(2001, 1, 6), ("D219930",), date(2023, 12, 27)),
        """\
ED TRIAGE  {date:18/03/22|27 Dec 2023}  02:14  cat 3
{patient:Caoimhe Mac Giolla Bhríde|Fiachra O'Loughlin}, {mrn:D204417|D219930}, dob {birth:18.09.97|6/1/2001}
BIBA from {place:Letterkenny|Loughrea}, fell off kerb on {street:Port Road|Barrack Street} after {holiday:Paddy's \
Day|Stephen's Day} celebrations. R ankle swollen, NV intact. GCS 15, no LOC. Friend {other:Sadhbh|Oisín} in waiting \
rm, {phone:085 555 0192|+353 86 555 0127}. NOK mother {relative:Bríd|Noeleen}. Student at {school:ATU Donegal|NUI \
Galway}. GP Dr {clinician:Ó Domhnaill|Considine}, {practice:Scally Place|Abbey Medical}. Seen prev {month:Jan \
2021|Aug '22} c same ankle. Analgesia given, X-ray ordered. Eircode {postcode:F92 X8R4|H62 KD71}. Tetanus utd.
triage nurse: {clinician:Siobhan Mc G|R. Thottathil}""",
    ),
    (
        "ICU daily note, US, all caps",
        Patient("Zamarripa^Hector Luis", date(1954, 3, 29), ("2004418",), date(2021, 1, 22)),
        Patient("Guidry^Alcide", date(1948, 8, 17), ("2077513",), date(2020, 4, 11)),
        """\
ICU PROGRESS NOTE {date:01/22/2021|4-11-2020} HD#{x:9|6}
PT {patient:ZAMARRIPA, HECTOR LUIS|ALCIDE GUIDRY} MRN {mrn:2004418|2077513} BED 12
66M COVID-19 PNEUMONIA, INTUBATED {date:JAN 15|4/7}, PRONED X2. TRANSFERRED FROM {facility:UVALDE MEMORIAL|OPELOUSAS \
GENERAL} ON {date:1/14/21|4/6}.
VENT: AC 24/380/+14/80%. PF RATIO 98. NOREPI 0.08. PROPOFOL/FENT.
FAMILY: WIFE {relative:MARIBEL|CLOTHILDE} UPDATED BY PHONE {phone:830-555-0145|(337) 555 0188}. SON {relative:HECTOR \
JR|T-BOY} WANTS DAILY ZOOM, {email:HZJR_84@HOTMAIL.EXAMPLE|TGUIDRY@CAJUNNET.EXAMPLE}.
CODE STATUS FULL PER DR {clinician:WHITTAKER|BROUSSARD-LANE}. PALLIATIVE (DR {clinician:E. SUNDARAM|ODOM}) TO SEE \
{date:MON 1/25|4/13}.
PLAN: CONT DEX DAY 8/10, LASIX 40 BID, TRACH DISCUSSION. RENAL US NEG.
ATTENDING {clinician:CORBIN HALE|PRISCILLA VIATOR}, MD / RESIDENT {clinician:M TRAN-WEBER|ABEBE} PGY3""",
    ),
    (
        "mental health assessment, UK",
        Patient("Sandiford^Kieron", date(1995, 4, 25), ("RIO118204",), date(2021, 10, 8)),
        Patient("Llewelyn^Rhodri", date(1990, 12, 31), ("RIO220417",), date(2022, 8, 16)),
        """\
CORE ASSESSMENT (confidential)

Name: {patient:Kieron Sandiford|Rhodri Llewelyn}        Likes to be called: {nickname:Kez|Rhod}
RiO number: {mrn:RIO118204|RIO220417}
Assessed by {clinician:Bernadette Yeboah|Iestyn Prosser} (CPN) and Dr {clinician:Haziq Rosli|Cerys Vaughan-Price} on \
{date:Friday 8th October 2021|16/8/22} at the {facility:Beckton Road Hub|Ystwyth Resource Centre}

Presenting problem: {patient:Kieron|Rhodri} was brought in by his aunt {relative:Yvette|Menna} after stopping \
olanzapine in {month:July|April}. He believes the neighbours are transmitting his thoughts. He was previously under \
section 3 in 2019.

Social: lives alone, {street:42 Prince Regent Lane|14b Heol y Bont}, {postcode:E16 3JB|SY23 1PY}. Used to work at \
{employer:Spitalfields Market|Gwili's}{x:| garage}. Ex-partner {relative:Shanice|Elin}; a daughter, \
{relative:Amarni|Gwenllian}, aged 4, at {school:Rosetta Primary|Ysgol Plascrug}. Probation officer: {x:|Ms \
}{other:Glen Tully|Heledd Rowe}.

Risk: no plans to end his life. Carried a kitchen knife on {x:|the bank holiday, }{date:3/10|Monday 1 August}. Not \
known to drive.
Plan: restart depot; CTO paperwork; tel {phone:020 7946 0218|01632 960331}; review {date:15.10.21|23rd August}.""",
    ),
    (
        "progress note, dense abbreviations, US",
        Patient("Ostrander^Wendell", date(1931, 2, 9), ("998-20-113",), date(2022, 1, 5)),
        Patient("Saldivar^Eusebio", date(1928, 6, 30), ("998-41-207",), date(2021, 9, 15)),
        """\
{date:1/5/22|9.15.21} HM2 PN
Mr {patient:Ostrander|Saldivar} ({mrn:998-20-113|99841207}) {age90:90|93}{x:M| y/o m} w/ HFpEF, CKD3b, AF on apix. \
Adm {date:1/2|9/12} from {facility:Cottonwood Manor|Villa Serena ALF} w/ vol overload.
S: slept ok, less SOB. Says the food is good.
O: 97.9 128/70 HR 78 RR 18 94% 2L. JVP 10, bibas crackles, 2+ LE. Wt 81.4 (from 84).
Na 133 K 4.1 Cr 1.9 BNP 880. TTE {date:1/3/22|Sept 13} EF 58, gr 2 DD. PPM (Medtronic, SN {serial:PVX614402S|RNB \
409817G}) interrogated by rep {other:Chad W.|Marisa Bloom}, ok.
A/P: cont lasix 80 IV BID, 1.5 L FR. D/w dtr {relative:Pam|Consuelo} ({x:c |}{phone:520-555-0144|956.555.0162}) - \
wants him back at {facility:Cottonwood|Villa Serena} by {x:|the }{date:Sat 1/8|}{date:|18th}. PCP Dr \
{clinician:Kahn-Ortega|Zuniga} aware. HCP: {x:|son }{relative:Pamela O. Breck|Rey}.
{clinician:T. Abdi|Joss McKinnon}, PA-C #{phone:4471|28806}""",
    ),
    (
        "physiotherapy note, UK",
        Patient("Dhaliwal^Manjit Kaur", date(1972, 1, 15), ("5512043",), date(2023, 5, 17)),
        Patient("Trewhella^Loveday", date(1968, 11, 22), ("5590816",), date(2024, 2, 29)),
        """\
PHYSIO OUTPATIENTS   {date:17/5/23|29 Feb 24}
{patient:Manjit K Dhaliwal|Loveday Trewhella}   {mrn:5512043|5590816}   {birth:15/1/72|22nd November 1968}
Ref by: Mr {clinician:Hosseini|Carveth}, shoulder clinic, {facility:Sandwell Treatment Centre|Camborne Redruth \
Hospital}
SH: lives c husband {relative:Harpreet|Denzil}, dinner lady @ {school:Galton Valley Academy|Trewirgie Juniors}. \
Hobby: bowls at {org:Smethwick Park Bowling Club|}{x:|the }{place:|Illogan}{x:| green}.
HPC: R frozen shoulder since {month:Nov 22|August}, hydrodistension {date:20 April|12/1/24}.
O/E: ER 20°, abd 70°, no capsular heat. Oxford score 21/48.
Rx: AP mobs grade III, stretches, heat. HEP emailed to {email:manjit.dhal72@mail.example|loveday68@kernow.example}, \
video link {url:www.shoulderfix.example/p/d7712|https://physiovid.example/lt-0816}.
Plan: r/v 3/52, {date:7/6|Thurs 21 March} 09.20. Text reminders to {phone:07700900553|07700 900291}.
{clinician:Gemma Priddy|Callum Hocking}, HCPC {registration:PH104417|PH 099230}""",
    ),
    (
        "dictated consult, US, with line-wrapped names",
        Patient("Delahoussaye^Antoinette", date(1950, 9, 9), ("4410093",), date(2018, 5, 24)),
        Patient("Birnbaum^Miriam Esther", date(1943, 2, 18), ("4477120",), date(2019, 7, 30)),
        """\
CARDIOLOGY CONSULTATION

REQUESTING PHYSICIAN:  {clinician:Lamar Fontenot-Ellis|Seymour Pinsky}, M.D.
DATE OF CONSULTATION:  {date:05/24/2018|July 30, 2019}

HISTORY OF PRESENT ILLNESS:  I was asked by Dr. {clinician:Lamar
Fontenot-Ellis|Seymour
Pinsky} to see this 67-year-old woman for atrial fibrillation.  Ms. {patient:Antoinette
Delahoussaye|Miriam Esther
Birnbaum} has been followed at {facility:Touro
Heart Institute|Monmouth Heart
Associates} since a non-ST elevation infarction in {month:March of 2016|December
2011}.  She was well until {date:May
22nd|July 27}, when she noticed palpitations while visiting her sister {relative:Philomene
Arceneaux|Dvora
Katz} in {place:Breaux
Bridge|Teaneck}.

SOCIAL HISTORY:  Widowed.  She was a seamstress with {employer:Wembley Ties|Lerner Shops}.  Never smoked.

PLAN:  Rate control with metoprolol, apixaban 5 mg twice daily, echocardiogram.  Please call me at {phone:504-555-
0171|(732)
555-0139} with questions.

Thank you for allowing me to participate in the care of Mrs. {patient:Delahoussaye|Birnbaum}.

{clinician:ETIENNE P. ROBICHAUX|NAOMI R. SELTZER}, M.D.
D: {date:05/24/18|07/30/19} 14:10   T: {date:05/25/18|07/31/19} 06:02   Job #{id:448120|00397751}   \
{initials:EPR/kb|NRS:dlm}""",
    ),
    (
        "health visitor note, UK",
        Patient("Achterman^Poppy", date(2023, 1, 19), ("7710042",), date(2023, 3, 2)),
        Patient("Mahmood^Zayn", date(2022, 6, 3), ("7710955",), date(2022, 7, 14)),
        """\
HV 6-8 week contact, home visit {date:2nd March 2023|14/07/2022}
Baby {patient:Poppy Achterman|Zayn Mahmood}, b. {birth:19/1/23|3 June 2022} at {facility:Lister Maternity \
Unit|Bradfield Birth Centre}, 3.4 kg, SVD. NHS {nhs:701 554 2206|7326619048}.
Mum {relative:Steph|Saima} (DOB {date:4/9/94|21.2.90}), dad {relative:Jordan Achterman|Imran}. Sibling \
{relative:Alfie|Hafsa} 3 yrs at {school:Little Acorns|Girlington}{x:| nursery}.
Address: {street:9 Weston Way|118 Toller Lane} {postcode:SG7 6ET|BD8 9JL}
Feeding: mixed. Weight 4.9 kg, 50th centile. EPDS 6. Routine enquiry negative.
{relative:Steph|Saima} is going back to work at {employer:Tesco Extra|Morrisons} in {month:September|January}. \
Clinic at {facility:Baldock Children's Centre|}{x:|the }{place:|Toller Lane}{x:| hub}, next {date:16/3|28 July}.
HV: {clinician:Oluwaseun Brightmore|Heather Sugden}, {phone:01632 960558|07700 900 106}""",
    ),
    (
        "ambulance handover, Australia",
        Patient("Brindabella^Shane Robert", date(1985, 11, 28), ("4415580",), date(2020, 12, 26)),
        Patient("Lo Presti^Rosario", date(1962, 3, 19), ("4472091",), date(2022, 2, 14)),
        """\
AMB HANDOVER case {id:20-1226-0417|N0214-8830}  {date:26/12/20|14-02-22}
Male ?{x:35|59}, ID from licence: {patient:Shane Robert Brindabella|ROSARIO LO PRESTI}, lic {license:NSW \
11840257|067 331 904}, dob {birth:28 Nov 1985|19/3/62}
MVA single veh v tree, {street:Tantawangalo Mountain Rd|Princes Hwy}, {place:Candelo|Bulli Tops}. Toyota Hilux \
{plate:CQ-41-FR|EJK 88V}, airbags deployed. Extricated by SES, 25 min.
GCS 14, HR 118, BP 96/58, sats 95. Seat belt sign, R chest tenderness, FAST pos RUQ.
Passenger {other:Kylie Brindabella|Gino} by second car to {facility:Bega|Shellharbour}{x: hospital|}. 2x IVC, 1 L \
Hartmanns, TXA 1 g at 1532, methoxyflurane.
Wallet, phone ({phone:0491 575 254|0491 576 398}) and keys w pt. Police {x:Sen Const |Sgt }{other:Mulcahy|D. \
Faleafa}, event E {id:77440128|59120366}.
Crew {clinician:Pridmore|Haddow}/{clinician:N Tua|Oyelade}.""",
    ),
    (
        "dialysis note, US",
        Patient("Begaye^Lorraine", date(1963, 7, 1), ("6604417",), date(2023, 4, 10)),
        Patient("Alvarenga^Santos", date(1960, 11, 2), ("6618820",), date(2022, 11, 30)),
        """\
HEMODIALYSIS TREATMENT RECORD
{facility:Shiprock Kidney Center|Fresh Pond Dialysis}   Chair 7   {date:04-10-2023|Wed. Nov. 30, 2022}
Pt {patient:Lorraine Begaye|Santos Alvarenga}   MR {mrn:6604417|6618820}   Medicare # \
{insurance:1EG4-TE5-MK73|2RA9-XF7-WN14}
Machine S/N {serial:8K2S-104471|5008T-77120}, RO checked. Dialyzer lot {serial:PA14-77B|21FU06012}.
Pre wt 71.2, dry 68.5. BP 162/84. AVF L upper arm (Dr. {clinician:Tsosie-Lamb|Figueiredo}, {month:6/2019|Feb 2020}) \
good thrill. 3.5 h, 2.7 L off. Heparin 3000.
Hgb 10.2 on {date:4/3|11/21/22}. Epo 6000. Next access flow {date:May 8|12/14}.
Transport: {org:Red Mesa Van Lines|Kendall Livery}, driver {x:|Mr. }{other:Wilbert|Amadou}, {phone:928-555-0110|617 \
555 0198}. Emergency contact son {relative:Darrell B.|Wilmer} {phone:505.555.0173|857-555-0126}.
{clinician:C. Nez|Mary Pat Driscoll} RN""",
    ),
    (
        "cancer MDT summary, UK",
        Patient("Wolstenholme^Barry", date(1955, 8, 30), ("3340918",), date(2022, 10, 19)),
        Patient("Adjei^Kwabena", date(1963, 5, 12), ("3381102",), date(2021, 6, 2)),
        """\
Urology MDT outcome – {date:19 October 2022|2/6/2021}
Chair: Miss {clinician:Kalpana Suri|Rowena Maddox}. Present: {clinician:S. Entwistle|Tayo Balogun} (rad), Dr \
{clinician:Prendergast|Zoltan Fekete} (path), {clinician:Aoife Keaveney|Nigel Brough} (CNS), Prof \
{clinician:Hallworth|Amin} (onc).

1. {patient:WOLSTENHOLME Barry|ADJEI Kwabena}  {mrn:3340918|3381102}  {nhs:6328815470|450 557 7104}  \
{birth:30.08.1955|12/05/1963}
PSA 11.4 ({date:28/9/22|10 May}). MRI {date:6/10/22|19/5}: PI-RADS 5 left apex, T3a. TP biopsy {date:12 Oct|26th \
May} ref {id:22H0041877|T21/9930}: Gleason 4+3. Bone scan clear.
Outcome: offer RT + ADT vs RARP at the {facility:Christie Lane Centre|Guy's Cross Cancer Centre}. Patient's brother \
{relative:Keith|Yaw} has prostate cancer too. Appt {date:26/10|Weds 9 June}, CNS to ring {phone:0161 496 0713|020 \
7946 0447}. Trial: eligible, screening no {id:STM-1184|PA-033-207}.""",
    ),
    (
        "home care worker log, poor English",
        Patient("Kowalewicz^Halina", date(1930, 10, 27), ("HC20417",), date(2022, 12, 19)),
        Patient("Vasquez Urrutia^Blanca", date(1927, 4, 5), ("HC31188",), date(2020, 7, 21)),
        """\
{date:19 dec|july 21} visit 8.00 to 8.45. {x:|Mrs }{patient:halina|blanca} was sleep when i come, i wake her slowly. \
she is {age90:92|ninety three} year old and she dont hear good. give breakfast and tablets from blister. leg is more \
red then on {x:|the }{date:16/12|}{date:|18th}, i make foto and send to nurse {clinician:monika|Dolores} on whatsapp \
{phone:07700900388|(915)555-0142}. Son {relative:Zbyszek|Rigoberto} phone from {place:Slough|Las Lomas}, he come \
{date:saturday 24 dec|7/25}. Neighbor {x:mr |}{other:Pat|Chayo} have key, code for the keybox {id:C4417|2086#}. She \
say she want go to {x:polish club|}{org:|San Judas}{x:| church} for {holiday:Wigilia|}{x:|mass}. Cat is ok. Client \
nr {mrn:HC20417|HC31188}, {street:12 Farnham Lane|2204 Pera Ave}. Next {date:20.12|7-22}. {clinician:Agnieszka \
W|Yessenia}""",
    ),
    (
        "neurology clinic letter, Scotland",
        Patient("Farquharson^Iona", date(1986, 3, 8), ("0803866612",), date(2019, 11, 27)),
        Patient("Ruthven^Catriona", date(1974, 5, 24), ("2405746628",), date(2023, 6, 5)),
        """\
NHS {place:Tayside|Borders}   Department of Neurology
CHI: {nhs:0803866612|240574 6628}
Clinic date {date:27.11.2019|5th June 2023}; dictated {date:28/11/19|06/06/23}; {initials:AMcK/ls|DJ/PR}

Dear Dr {clinician:Auchterlonie|Jeffrey-Smythe}

{patient:Iona FARQUHARSON|Catriona RUTHVEN}, {street:The Steading, Kinclaven|3 Abbotsford Brae}, {x:By \
|}{town:Stanley|Galashiels}, {postcode:PH1 4QN|TD1 3HP}

I reviewed Ms {patient:Farquharson|Ruthven} with her partner {relative:Struan|Eilidh}. Since \
{holiday:Hogmanay|}{month:|March} she has had two further focal seizures, the last on {date:14 November|Saturday 20 \
May}. Levetiracetam is 1 g twice daily. She surrendered her driving licence \
({license:FARQU853086I99AB|RUTHV755244C99XY}) in 2018. MRI at {facility:PRI|BGH} shows left mesial temporal \
sclerosis. She works from home for {employer:Highland Spring|Lochcarron Knitwear}. EEG is booked for \
{date:9/12/19|Tuesday 20th June}.

She has my secretary's number, {phone:01632 960018|01632 960909}{x: ext |}{phone:33|}, and the nurse line \
{email:epilepsy.nurse@tay.example|neuro.borders@scot.example}.

Dr {clinician:Alasdair McKerrow|Dorothy Jardine}""",
    ),
    (
        "wound clinic text messages",
        Patient("Tufuga^Sione", date(1969, 12, 12), ("ZAK4417",), date(2023, 9, 6)),
        Patient("Marchetti^Bruno", date(1957, 2, 28), ("ZBM2093",), date(2022, 3, 23)),
        """\
[{date:06/09/23|23.3.22} 09:12] {x:|Nurse }{clinician:Jas|Tilly} (wound clinic): Kia ora {patient:Sione|Bruno}, \
reminder of ur appt {x:|tomorrow }{date:Fri 8/9|}{date:|24/3} 10.30
[09:40] {phone:021 555 0144|+64 27 555 0119}: cant make it sis, truck {plate:LQH417|MTE 902} broke down in \
{place:Tokoroa|Gore}. can {relative:Mele|Franca} pick up the dressings
[09:44] yep all good, bring ur NHI {mrn:ZAK4417|ZBM2093} and her ID. we r at {street:31 Bridge St|6 Medway Street} \
nxt to the {x:hardware store|pub}
[10:02] sweet. foot smells a bit, pic sent 2 {email:woundpics@waikato.example|feet@southern.example}
[10:20] Dr {clinician:Raj|Heke} says start flucloxacillin 500 qid, script gone to {org:Unichem Leith Place|Gore \
Pharmacy}. ED if fever ok? call me {phone:07 555 0181|03 555 0164}
[10:21] ta {clinician:Jas|Tilly}. {relative:Mele|Franca} b there at 2""",
    ),
    (
        "prison healthcare, UK",
        Patient("Mottershead^Dean", date(1981, 6, 6), ("A4417CK",), date(2020, 10, 13)),
        Patient("Idowu^Tunde", date(1987, 9, 4), ("A8820FN",), date(2021, 12, 3)),
        """\
HMP {facility:Stoke Heath Farm|Wealdmarsh}  reception health screen   {date:13-10-20|Fri 3 Dec 2021}
Prisoner no {mrn:A4417CK|A8820FN}   Surname {patient:MOTTERSHEAD|IDOWU}   Forenames {patient:DEAN|TUNDE}   Cell \
{x:B2-14|D3-07}
Alias: {nickname:"Motty"|"T-Man"}
From {facility:Telford Magistrates|Maidstone Crown Court}. NI {id:JK 44 17 02 C|PW882093D}. Home area \
{place:Wellington|Chatham}. Next of kin {relative:Lyndsey Mottershead|Folake} (mum), {phone:01632 960271|07700 900 \
640}.
Drugs: heroin £30/day, last used {date:12/10|Tues 30 Nov}. Methadone 40 ml via {facility:Recovery House \
Oakengates|Medway Recovery}, keyworker {clinician:Wayne|Chrissie Bolt}. Bloods: Hep C ab pos 2017.
Community GP Dr {clinician:Jellicoe|Sivakumar} at {x:|the }{practice:Sutton Hill|Railside}{x:| practice}. ACCT \
opened {date:14/10/20|4.12.21}; previous self harm {month:Feb 2019|June 2019}. Solicitor {x:Mrs \
|}{other:Ghafoor|}{org:|Peverell & Co}. Vulnerable: ex-partner's brother {other:Craig Stubbs|Deji} on same wing.
RMN {clinician:Kathleen Dunphy|S. Acheampong}""",
    ),
    (
        "ophthalmology letter, UK",
        Patient("Threlkeld^Edna", date(1931, 8, 11), ("778204",), date(2023, 2, 13)),
        Patient("Szczepański^Józef", date(1929, 3, 19), ("790331",), date(2021, 5, 26)),
        """\
Eye Clinic, {facility:West Cumberland Eye Unit|Huntingdon Road Eye Hospital}, tel {phone:01632 960444|01632 960 387}
{date:13 Feb 2023|26/05/2021}
Patient: {patient:Edna Threlkeld|Józef Szczepański} ({age90:91|92})   No. {mrn:778204|790331}
Optometrist: {x:Specsavers |}{place:Cockermouth|}{org:|R. Whitlam Opticians}

VA: R 6/36, L 6/9. OCT: right subretinal fluid, wet AMD. Aflibercept no. 7 given today by Sr \
{clinician:Glenys|Adeola}, batch {serial:KT0H441|8ZK-2204}.
{patient:Edna|Józef} comes with {x:volunteer driver |his lodger }{other:Ron|Piotr} because {x:daughter |wife \
}{relative:Maureen|Halszka} no longer drives. Still plays the organ at {org:St Kentigern's|Our Lady of \
Częstochowa}{x:| parish}.
Certified sight impaired on {date:9/1/23|12th May}; CVI sent to {org:Cumbria Sight Support|Camsight}. Registered \
blind sibling {relative:Mabel|Stefan}, {age90:96|ninety-five}.
Next: {date:13/03/23|23 June 21}, Mr {clinician:Satterthwaite|Bhandari}'s list.""",
    ),
    (
        "paediatric asthma review, US",
        Patient("Okpara-Hughes^Malachi", date(2012, 8, 3), ("1220447",), date(2021, 10, 29)),
        Patient("Sorensen^Tatum", date(2010, 4, 16), ("1231180",), date(2019, 9, 3)),
        """\
WELL CHILD / ASTHMA F/U
Name: {patient:Malachi Okpara-Hughes|Tatum Sorensen}    "{nickname:Kai|Tate}"    DOB {birth:8/3/12|04/16/2010}    \
Chart {mrn:1220447|1231180}
Visit: {date:Oct 29 2021|Tue 9/3/19}    Accompanied by: {x:Mom (|stepdad }{relative:Chidinma|Rick}{x:)|}
9 yo w/ mod persistent asthma. ED at {facility:Children's of Wauwatosa|Primary Children's Ogden} {date:10/11|Aug. \
19}, 3 d prednisolone. In 3rd grade at {school:Longfellow Elementary|Weber Valley Charter}, teacher {x:Ms. |Mr. \
}{other:Kopecky|Dunford}. Plays soccer for the {org:Tosa Kickers|Roy Rapids}.
Lungs clear, no retractions. ACT 17. FEV1 82 %.
Plan: Flovent 110 2 puffs BID w/ spacer, action plan to school nurse ({x:|fax }{phone:414-555-0116|801-555-0175}). \
Flu shot lot {serial:UT7482NA|P100-204417} given L deltoid.
Portal: {url:mychart.cudahypeds.example/kai|www.weberkids.example/portal}. Parent email \
{email:chidi.okpara@web.example|rick_sorensen77@web.example}. Insurance {x:BadgerCare |SelectHealth }{insurance:8840 \
2217 06|800447120}.
{clinician:Annika Rosdahl|J. Bryce Tolman}, MD""",
    ),
    (
        "coroner's / death summary, Australia",
        Patient("Gallagher-Moss^Patricia", date(1927, 12, 24), ("0204417",), date(2021, 8, 9)),
        Patient("Dimitriadis^Evangelia", date(1930, 3, 25), ("0218093",), date(2023, 1, 27)),
        """\
DEATH SUMMARY
{patient:Patricia Gallagher-Moss|Evangelia Dimitriadis}, UR {mrn:0204417|0218093}, {age90:93|92} yrs, of \
{facility:Wattle Glen Aged Care|Agios Nikolaos Hostel}, {street:150 Kangaroo Ground Rd|33 Station Street}, \
{town:Wattle Glen|Fawkner} VIC {postcode:3096|3060}
Admitted {date:5/8/2021|}{holiday:|Australia Day}; died {date:9 August 2021|27/1/23} at 04:35.
Cause: I(a) aspiration pneumonia 3 days (b) Lewy body dementia 6 years. II chronic kidney disease.
Found unresponsive by EN {clinician:Sunita|Marlon Reyes}; verified by Dr {clinician:Tess Abernethy-Cole|H \
Ranasinghe} (HMO, AHPRA {registration:MED0002204417|MED0001988203}). Family: daughters {relative:Bronwyn|Toula} and \
{relative:Meredith Moss|Effie} present, grandson {relative:Lachie|Con} phoned from {place:Karratha|Salonika}. \
Chaplain Fr {other:Xuereb|Stavros Tzanis} attended. Goals of care signed {date:6/8|26.1.23}.
Not reportable; discussed with coroner's office ({x:Ms |}{other:L. Petrakos|Jim}) ref {id:COR 2021 \
004417|2023/0388}. Funeral director: {org:Tobin Sisters|Nikolakakis & Son}, ph {phone:03 5550 1140|1300 555 017}. \
Valuables: one ring to {relative:Bronwyn|Toula}.""",
    ),
    (
        "transplant coordinator e-mail, US",
        Patient("Brackenridge^Cody James", date(1989, 1, 23), ("7741209",), date(2022, 7, 11)),
        Patient("Teklehaimanot^Selam", date(1984, 10, 10), ("7752230",), date(2020, 9, 22)),
        """\
Subject: {patient:C. Brackenridge|Selam T.} - crossmatch

{clinician:Margo|Deepa},
Tissue typing just called. {patient:Cody|Selam} ({mrn:7741209|7752230}, UNOS {id:WL-0884-2217|BQX-4417}) is negative \
flow XM with donor {x:|ID }{id:AGK-2217|AHJ3090}. OR slot {date:7/12|Wed 9/23} at 0500. Pt is driving in from \
{place:Pocatello|Yakima} w/ partner {relative:Brooklynn|Abel}; cell {phone:208.555.0157|509-555-0114}, truck plate \
{plate:1B 4K217|BXK9920}, parking pass done. Please tell Dr. {clinician:Ledbetter|Zhao-Ramirez} and the fellow \
({clinician:Amir|Whitney}). Last HD {date:Monday 11th|9/21}. Hotel conf {id:88214LA|QRT55Z}.
Donor hospital is {facility:Bannock Regional|Kadlec Valley}, coordinator {other:Shawna|Bud Oakes}.

{clinician:Lupita Arriaga|Fritz Kellerman}, RN CCTC  |  \
{email:larriaga@tx.uintah.example|fkellerman@transplant.example}  |  24h {phone:800-555-0199|(206) 555-0120}
VPN for the labs: {ip:172.20.14.9|10.44.7.201}""",
    ),
    (
        "gp consultation, UK, terse",
        Patient("Chatterjee^Anindita", date(1977, 11, 11), ("40221",), date(2024, 3, 5)),
        Patient("Rowbottom^Stan", date(1950, 5, 1), ("51830",), date(2023, 10, 24)),
        """\
{date:05-Mar-2024|24.10.2023} Surgery: {practice:Meanwood Group Practice|Hyde Green Surgery} (Dr \
{clinician:ROBSON-AKHTAR, Lily|HALFPENNY, Tom})
{x:|Mr }{patient:Chatterjee A|S Rowbottom} EMIS {mrn:40221|51830}
History: 3/7 dysuria, no loin pain. works at {x:the |the }{place:Elland Road|Gee Cross}{x: ticket office| allotments \
cafe}. Worried as {x:cousin |late brother }{relative:Rumi|Alf} had bladder ca. {x:LMP |Bowels ok}{date:19/2|}
Exam: T 37.1, abdo snt, dip leu++ nit+
Plan: nitrofurantoin 100 mr bd 3/7, msu sent ({id:M24.118204|23U774120}), sick line to {date:8/3|Fri 27th}, \
chaperone {clinician:Julie|}{x: HCA|declined}
Comment: txt {phone:07700 900745|07700900119}. ETP to {org:Boots Headingley|Cohens}{x:|, }{street:|Market St}. Usual \
dr {x:|Mrs }{clinician:Pickersgill|Lund}. fam: {relative:Arjun|Jean} (spouse), {x:|granddaughter \
}{relative:Mishti|Bea} reg here too.
Records req by {org:Leeds Permanent Insurers|}{place:|Tameside}{x:| Blue Badge}, ref {id:LPI/8820/AC|BB-33017}.""",
    ),
    (
        "chest clinic, occupational history",
        Patient("Grzybowski^Leonard", date(1942, 4, 19), ("660418",), date(2018, 9, 11)),
        Patient("Heslop^Raymond", date(1939, 1, 2), ("667120",), date(2019, 10, 1)),
        """\
{facility:Pontefract Chest Clinic|Bishop Auckland Chest Unit}
{date:11th of September 2018|01/10/19}
re {patient:Leonard Grzybowski|Raymond Heslop} {birth:19.04.42|2 Jan '39} {mrn:660418|667120}

This retired miner was a face worker at {employer:Sharlston Colliery|Leasingthorne}{x:| pit} from 1958 to 1985 and \
then a caretaker for {employer:Wakefield Baths|Woodhouse Close School}. Lagged pipes with his late brother \
{relative:Stanislaw|Norrie} at {employer:Ferrybridge|ICI Billingham}{x: power station|}. He was exposed to asbestos. \
Compensation is with {org:Thursfields|Watson Burdon} solicitors (claim {id:DUST/44170|M/19/0338}), contact {x:Ms \
|}{other:Amy Illingworth|Graeme}. Oxygen from {org:Air Care Yorkshire|Baywater}, concentrator serial \
{serial:V5-0044172|NLO 88203}.

FVC 61 % predicted, TLCO 44 %. HRCT {date:29 August|Mon 16 Sept} shows UIP. He sleeps downstairs at {street:3 \
Weeland Crescent|27 Escomb Road}. Wife {relative:Ann|Doris} has COPD too. See again in {month:December|April next \
year}.

cc Dr {clinician:Noor Qadir|B. Stobbart}; {x:|Community matron }{clinician:Lesley Farrar|Anne-Marie Dodds}""",
    ),
    (
        "patient portal message",
        Patient("Blessing^Hope", date(1980, 4, 4), ("3110447",), date(2023, 6, 20)),
        Patient("Grant^Hunter", date(1992, 2, 25), ("3120558",), date(2022, 10, 31)),
        """\
From: {patient:Hope Blessing|Hunter Grant}  Sent: {date:6/20/23|10/31/2022} 9:47 PM
To: {clinician:Chase Bishop|Summer Banks}, MD

Hi dr {clinician:bishop|banks}, its {patient:hope|hunter} again. still having the headaches, worse since \
{date:sunday the 18th|oct 28}. my {x:husband|wife} {relative:will|faith} thinks its the new pill. can u call me at \
work, {employer:Shady Grove Daycare|Brickyard Pizza}, {phone:240 555 0161|(919) 555-0127} ask for {other:Joy|Mark}. \
I will be there till 4. also my new email is {email:hopeb.1980@quickmail.example|huntg92@quickmail.example}. thx!!! \
{patient:Hope B|}{initials:|HG}""",
    ),
    (
        "radiology report, England",
        Patient("Winstanley^Derek", date(1948, 10, 10), ("RXH440182",), date(2019, 2, 15)),
        Patient("Mistry^Hasmukh", date(1955, 3, 27), ("RXH551023",), date(2020, 11, 16)),
        """\
{patient:WINSTANLEY, Derek|MISTRY, Hasmukh}{x:| Mr} {mrn:RXH440182|RXH551023} Acc {id:RXH0099182734|RXH01123344}
CT Thorax abdomen and pelvis with contrast: {date:15/02/2019|16-Nov-2020}
Clinical details: weight loss. ?primary. Ref Dr {clinician:Ogunbanjo|Pettifer}, {practice:Aspull Health \
Centre|Belgrave Surgery}.
Comparison is made with the CT of {date:3 August 2018|9/1/20} from {facility:Wrightington|Glenfield}.
No hilar adenopathy. Simple renal cysts. 14 mm lesion in segment VI, unchanged. Degenerative change at L4/5. No \
lytic lesion.
Reported by: Dr {clinician:Xanthe Bellweather|Obinna Nwachukwu}, Consultant Radiologist (GMC \
{registration:7044182|6120447}), verified {date:16/02/2019|17 Nov 2020} 08:31""",
    ),
    (
        "MRI safety questionnaire, US",
        Patient("Kirchhoff^Waldo", date(1960, 12, 30), ("5040217",), date(2022, 4, 27)),
        Patient("Pizarro^Milagros", date(1968, 5, 15), ("5055019",), date(2021, 8, 24)),
        """\
MRI SCREENING FORM
Last name: {patient:Kirchhoff|Pizarro}  First name: {patient:Waldo|Milagros}  MI: none
Date: {date:4 / 27 / 22|08/24/2021}     DOB: {birth:12-30-60|5.15.68}     Weight 188
Address: {street:5510 County Road 44|91 Calle Sol, Urb. Villa Flores}  City: {town:Brainerd|Ponce}  Zip \
{postcode:56401|00716}
Home ph: {phone:218-555-0139|787-555-0143}   Cell: same
Cochlear implant: NO.  Pacemaker: NO.  Aneurysm clip: YES, card says {facility:Abbott Northwestern|Hospital Damas}, \
{month:Aug 1998|Nov. 2004}, Dr {clinician:Ahlquist|Rosado Vda. Colón}
Neurostimulator: YES, model 97715, serial {serial:NME714420H|NPL 002817 N}, off at {x:8|9}:40
Shrapnel: NO.  Employer: {employer:Crow Wing Power|Destilería Serrallés}
Technologist: {clinician:Jodi Stenerson|E. Maldonado} RT(R)(MR)""",
    ),
    (
        "ward round list, UK",
        Patient("Kettleborough^Frank", date(1934, 7, 7), ("220417",), date(2023, 1, 30)),
        Patient("Osei-Bonsu^Comfort", date(1947, 12, 25), ("231904",), date(2022, 8, 5)),
        """\
WARD ROUND {date:Mon 30/1|05/08/22}  Mr {clinician:Cavendish-Okoro|Dimmock} / {clinician:Priyanka|Olly} (reg) / \
{clinician:Ned F|Zainab} (F1)
Bed 1 – {patient:F. Kettleborough|Comfort O-B} {mrn:220417|231904} D3 post fem-pop bypass, foot warm, drain out, \
home {date:1/2|Sun 7th} if stairs ok, family {relative:Roy|Abena} to collect.
Bed 2 – Mrs {other:Iris Nuttall|Perpetua Quaye} {age90:94|90} yrs NOF, for theatre {date:31/1|6/8}, DNACPR, from \
{facility:Larchfield|Ferndale Court}.
Bed 3 – Mr {other:D'Souza|Wm Haigh} {mrn:221180|231177}, ?ileus, NG 600 ml, K 3.1 replaced, CT today.
Bed 4 – empty, cleaned. Side room – {other:"Big Al" Postlethwaite|T. Sikorska} CDI day 4, vanc, son rang from \
{place:Fleetwood|Gdynia} {phone:01632 960 682|00 48 58 555 01 22}.
Jobs: chase {other:Nuttall|Quaye} group & save ({x:|sample }{id:BT-4471802|0923-117}).""",
    ),
    (
        "hospice note, US",
        Patient("Applewhite^Cora Lee", date(1923, 3, 16), ("H20-0447",), date(2020, 10, 6)),
        Patient("Van Houten^Cornelia", date(1925, 8, 8), ("H19-0812",), date(2019, 6, 16)),
        """\
HOSPICE VISIT {date:Oct. 6, 2020|6/16/19}
Ms. {patient:Cora Lee Applewhite|Cornelia Van Houten}, a {age90:97|93}-year-old, PPS 30%, end-stage CHF. Lives with \
niece {relative:Dorothea|Wilma} at {street:204 Sycamore Holler Rd|18 Dam Road}, {town:Hazard|Pella}. Chart \
{mrn:H20-0447|H19-0812}.
Known to all as "{nickname:Mamaw|Oma Corrie}". She turned {age90:ninety-seven|93} at the {facility:Hazard ARH|Pella \
Regional} last {month:March|August}. Morphine 5 mg q4h prn, two doses since {date:10/4|Friday 6/14}. {x:Pastor \
|Reverend }{other:Dwayne Combs|Dykstra} visits. Veteran's widow, benefit no. {id:XC 17 440 982|28-117-204}. On-call \
{phone:606-555-0102|641.555.0186}. Burial plan with {org:Maggard's|Van Dyk Duven}. Bereavement risk: daughter \
{relative:Earlene|Truus}.
{clinician:Misty Gayheart|Hank De Boer} RN CHPN""",
    ),
    (
        "sleep clinic, Australia",
        Patient("Petersen^Glenn", date(1966, 9, 9), ("SLP-4402",), date(2023, 11, 2)),
        Patient("Aboud^Fadi", date(1975, 1, 17), ("SLP-5517",), date(2024, 2, 7)),
        """\
Sleep review {date:2 November 2023|7/2/24}: {patient:Glenn Petersen|Fadi Aboud}, ref {mrn:SLP-4402|SLP-5517}
CPAP download (ResMed AirSense 11, SN {serial:22221804417|23230988102}; device no. {id:417|882}): usage 6.1 h, \
residual AHI 2.4, leak 11 L/min.
Truck licence renewed to {date:30/6/2024|31 Jan '25}, assessing fitness to drive form sent to {x:VicRoads |Transport \
NSW }{place:Shepparton|Orange}. Rig: Kenworth {plate:XW 44 BL|TK 90 AU}. Works for {employer:Goulburn Freight|Aboud \
Bros Haulage}. Wife {relative:Leanne|Rima} says no snoring since {holiday:Melbourne Cup|Ramadan}. Cloud login \
{handle:gpetersen_66|fadi.aboud.75}. Mask order via \
{url:https://sleepshop.example/order/44127|sleepwell.example/rx/90017}. Phone review {date:Thur 1 Feb|8 May}. Dr \
{clinician:Yvonne Carmody-Tran|Hugh Brockhurst}""",
    ),
    (
        "midwifery, UK",
        Patient("Abdirahman^Hodan", date(1993, 6, 18), ("MAT44017",), date(2021, 5, 11)),
        Patient("Blackshaw^Kayleigh", date(1999, 11, 8), ("MAT50281",), date(2023, 9, 19)),
        """\
Booking appt {date:11.5.21|19th Sept '23}. {patient:Hodan Abdirahman|Kayleigh Blackshaw} G2P1, EDD \
{date:24/12/21|2nd April 2024}. {mrn:MAT44017|MAT50281}. NHS {nhs:622 047 1183|4415580926}
Partner: {relative:Abdi Warsame|Liam}, {x:32|26}, bus driver for {employer:First West|Stagecoach Chesterfield}. \
Lives {street:Flat 3, 88 Stapleton Rd|7 Hady Crescent}, {place:Easton|Hady}.
Previous: emLSCS {month:Feb 2018|7/2021} at {facility:St Michael's|Calow Royal}, baby {relative:Yusuf|Ava-Mae} 3.6 \
kg.
Blood taken, bottles {id:B2104417|Q77120-3}. Rh neg. Safeguarding: nil; interpreter {other:Safiya|}{x:|not needed}. \
Mobile {phone:07700 900 336|07700 900581}. Named midwife {clinician:Philippa Grey|Donna}.""",
    ),
    (
        "cochlear implant clinic, Australia",
        Patient("Marrapodi^Giulia", date(2015, 10, 2), ("CI-0447",), date(2022, 5, 31)),
        Patient("Ngata^Tamati", date(2013, 12, 13), ("CI-0551",), date(2021, 10, 12)),
        """\
CI mapping session {date:31st May, 2022|Tuesday 12/10/21}
{patient:Giulia Marrapodi|Tamati Ngata} ({nickname:Jules|Tama}), clinic file {mrn:CI-0447|CI-0551}, with mum \
{relative:Rosanna|Aroha}
Implant: L CI622 serial {serial:2210044170882|2008117740213}; processor N7 {x:SN |}{serial:1000417722|1000 882 017}; \
spare coil lot {serial:C2217|K-0092}
MAP 4 loaded, T levels up 3 CL. Aided 30 dB. Speech: 86 % CNC.
Itinerant teacher: {x:Mr |Whaea }{other:Phelan|Ngaire}, {school:St Columba's Leichhardt|Te Kura o Waitara}; FM \
system via {org:Aussie Hearing Annandale|Taranaki Deaf Trust}.
NDIS no {insurance:430 117 822|431009274}. Next {date:Nov 29|12 April}. Parents' whatsapp {phone:+61 491 578 888|+64 \
21 555 017}. {clinician:K. Strahan|Fleur Haywood}""",
    ),
    (
        "genetics family history",
        Patient("Rosenthal^Adina", date(1984, 12, 12), ("GN-20-447",), date(2020, 2, 3)),
        Patient("Hargreaves^Philip", date(1976, 7, 23), ("GN-18-902",), date(2018, 11, 14)),
        """\
Genetic counselling, {date:Monday 3 February 2020|14.11.18}
Proband {patient:Adina Rosenthal|Philip Hargreaves} (b. {birth:12 December 1984|23/07/76}), file \
{mrn:GN-20-447|GN-18-902}
- mother {relative:Shoshana|Edith}, breast ca at 44, d. {date:3 Oct 1999|}{holiday:|Christmas Day 2001}
- maternal aunt {relative:Rivka Blum|Joan Hargreaves}, ovarian 51, treated at {facility:Royal Marsh \
Hospital|Cookridge}, lab no {id:MG-99182|R98/0417}
- uncle {relative:Saul|Clifford}, alive at {age90:90|91}, {place:Netanya|Skipton}
- cousin {relative:Talia|Bev} BRCA2 c.5946delT, report {id:BR2-004417|G1801177} from {facility:Hadassah|St \
James's}{x:| lab}
- half brother {relative:Noam|Anthony}, no contact
Consent to contact {relative:Talia|Bev}: {email:talia.b@post.example|bevh1969@post.example}. Family no. {id:FAM \
8812|F-20193}. {clinician:Gwyneth Pask|Milos Havel}, genetic counsellor""",
    ),
    (
        "occupational therapy home visit, UK",
        Patient("Snodgrass^Winnie", date(1932, 1, 24), ("OT44172",), date(2023, 3, 29)),
        Patient("Clutterbuck^Ivor", date(1930, 5, 30), ("OT50117",), date(2022, 6, 22)),
        """\
OT ACCESS VISIT {date:29/03/23|Wed 22nd June}
client: {patient:winnie snodgrass|IVOR CLUTTERBUCK} ({mrn:ot44172|OT50117}), {age90:91|92}, fell {holiday:mothering \
sunday|}{x: |}{date:19/3|June 4}
property: 2 bed bungalow, {street:11 Larkhill Close|Rose Cottage, Silver Street}, {place:Wooler|Nunney}. Key safe \
{id:1932|C2286X}. Landlord {org:Bernicia|Selwood Housing} ref {id:TEN/88210|0044172-B}. Next door {other:Malc|Thelma \
& Stan} keep an eye.
stairs n/a. rails x2 needed, bath board, perching stool. asset tag of hoist {serial:NRS-004471|MED EQ 20917}
nephew {relative:gordon|Toby} lives {place:Berwick|Frome}{x:| way} tel {phone:01632 960 017|07700 900823}. pendant \
alarm unit {x:|no. }{serial:TNSTL 88120|7741-22}.
lifeline call centre logs {url:careline.example/c/44172|}{x:|not seen}. seen with {clinician:Cheryl|Hamza} (OTA). \
{clinician:Edwina Foss|Ruth A-K}""",
    ),
    (
        "endoscopy, Canada",
        Patient("Thibault^Jean-Marc", date(1964, 2, 2), ("0440917",), date(2022, 9, 12)),
        Patient("MacIsaac^Angus", date(1956, 10, 31), ("0451880",), date(2021, 1, 18)),
        """\
COLONOSCOPY – {date:2022-09-12|18 janv. 2021}
Patient {patient:Thibault, Jean-Marc|MacIsaac, Angus}; HCN {insurance:4417 882 093 KT|NS 0012 344 718}; chart \
{mrn:0440917|0451880}
Endoscopist Dr {clinician:L. Archambault-Singh|Rankin MacSween}; referred by {x:Dre |NP \
}{clinician:Pelletier|Coady}, {practice:Clinique Hawkesbury|Mabou Health Centre}
Scope: CF-HQ190L #{serial:2804417|2991802}. Midaz 3, fentanyl 75. Caecum reached 6 min, Boston 8. Two polyps, 6 mm \
transverse, cold snare.
Path {id:S22-20417|HI21-000882} pending. Drove from {place:L'Orignal|Port Hood} with {relative:Mireille|Sandy}; no \
driving till {date:Sept 13|}{x:|tomorrow}. Results to {phone:613-555-0151|902 555 0109}, {postcode:K0B 1K0|B0E 2W0}. \
Recall {month:09/2027|Jan. 2026}.""",
    ),
    (
        "burn unit dictation",
        Patient("Quisenberry^Tad", date(1998, 8, 28), ("6044170",), date(2019, 7, 5)),
        Patient("Yarborough^Destiny", date(2003, 4, 9), ("6051228",), date(2022, 7, 5)),
        """\
this is {x:|doctor }{clinician:randall fisk|anita boudreaux} dictating an admission note on {patient:tad \
quisenberry|destiny yarborough} that is spelled {patient:Q U I S E N B E R R Y|Y-A-R-B-O-R-O-U-G-H} medical record \
number {mrn:six zero four four one seven zero|6 0 5 1 2 2 8} date of admission {date:july fifth twenty nineteen|july \
5th 2022} patient was injured on the {holiday:fourth of july|}{date:|fourth} by a firework at {place:lake of the \
ozarks|toledo bend} period flown out of {place:camdenton|many}{x:| louisiana} twelve percent partial thickness both \
hands and face comma intubated for airway edema period mother {x:|mrs }{relative:crystal|latonya yarborough} \
consents by phone {phone:573 555 0122|three one eight five five five zero one four four} period copy to doctor \
{clinician:amos|guillory} in {place:osage beach|leesville} end of dictation""",
    ),
    (
        "complaint letter from relative",
        Patient("Bannerman^Sheila", date(1944, 3, 31), ("881920",), date(2022, 1, 14)),
        Patient("Pocock^Reginald", date(1937, 11, 19), ("890417",), date(2023, 4, 26)),
        """\
{street:26 Orchard Way|"Fairhaven", Cliff Road}
{town:Kempsey|Sheringham}
{postcode:WR5 3LQ|NR26 8BJ}
{date:14th January 2022|26 April 2023}

Dear Sir or Madam,

I am writing about the care of my {x:mother-in-law |father-in-law }{patient:Sheila Bannerman|Reginald Pocock} at the \
{facility:Alexandra Wing|Cromer Cottage Hospital} between {holiday:Boxing Day|}{x:|the }{date:|2nd} and {date:4th \
January|8th of March}. Nurse {clinician:Tracey|Abimbola} told us on the {date:29th|5th} that a doctor called \
{clinician:Farouk|Hollis} would ring. Nobody did. I rang {phone:01632 960555|01632 960 921} eleven times. Sister \
{clinician:Maloney|Crabbe} was kind. {patient:Sheila|Reg} was moved to {ward:Evesham|Blakeney} Ward at 2 am in the \
cold. My {x:wife|mother} {relative:Gillian|Maureen P.} is still upset. PALS ref {id:PALS-22-0117|C/2023/0418}.

Yours faithfully,
{relative:Nigel Cross|M. Pocock}""",
    ),
    (
        "telehealth transcript",
        Patient("Eriksen^Solveig", date(1987, 5, 17), ("4088120",), date(2021, 2, 10)),
        Patient("Mwangi^Joseph", date(1978, 10, 20), ("4091177",), date(2020, 5, 19)),
        """\
Video visit {date:2/10/21|19 May 2020}, patient location: {place:Decorah|Lowell}
DR: Hi, can you say your name and birthday for me?
PT: {patient:Solveig Eriksen|Joseph Mwangi}, {birth:May seventeenth, eighty-seven|October 20, '78}.
DR: And the best number if we drop?
PT: {x:|It's }{phone:563-555-0195|978, 555, 0136}. Or my {x:roommate |wife }{relative:Kjersti|Wanjiru}.
DR: OK {patient:Solveig|Joe}. I see {x:Dr. |nurse }{clinician:Amdahl|Ritchie} ordered a scan on {x:|the \
}{date:January 28th|}{date:|twelfth of May}?
PT: Yes, over at {facility:Winneshiek Medical|Merrimack Valley Imaging}. They gave me a disc, it says {x:|accession \
}{id:X0417-22|20-88172}.
DR: Great. I'll message {clinician:Tove|Priscilla} at the desk. Zoom ID was {id:884 4170 2261|912-0044-7731}.""",
    ),
    (
        "cardiac rehab, UK",
        Patient("Huddlestone^Jim", date(1959, 6, 11), ("CR4417",), date(2023, 10, 9)),
        Patient("Mazurek^Ewa", date(1964, 9, 5), ("CR5502",), date(2024, 1, 24)),
        """\
Cardiac rehab week 3, {org:Blyth Leisure Centre|Perth Bells Sports Hall}, {date:9/10/23|24 Jan 2024}
{patient:Jim Huddlestone|Ewa Mazurek} ({mrn:CR4417|CR5502}) inf STEMI {holiday:|Guy Fawkes}{x:| night }{date:22 \
August|5/11}, DES to RCA, stent card {serial:XI-44170|220417-S}. BP 132/76, RPE 12.
Attending with {relative:Pauline|Tomasz}. Smoked 20/d, quit since the MI. Tooth out by Mr {other:Rahimi|A Stott} \
next week - on ticagrelor, told to ring {phone:01632 960120|01738 555 019}.
Return to work at {employer:Tynedale Council|Huntingtower Hotel}{x: depot|} from {date:6 Nov|Mon 4/3}. Fitbit user \
{handle:@jimhudd59|ewa_maz64}. Exercise physiologist {clinician:Leanne Tate|Rory MacNab}; consultant Prof \
{clinician:Zaman|Urquhart}""",
    ),
    (
        "speech therapy, US",
        Patient("Stubblefield^Earl", date(1947, 4, 18), ("7044129",), date(2022, 3, 3)),
        Patient("Ichikawa^George", date(1939, 2, 22), ("7049330",), date(2018, 8, 29)),
        """\
SLP: MBSS {date:03/03/22|8/29}. Pt {patient:Earl Stubblefield|G. Ichikawa}, mr# {mrn:7044129|7049330}, L MCA stroke \
{date:2/20|Aug 23rd, 2018}. wife {relative:Nadine|Fumiko} present.
Penetration with thin liquids, none with nectar. Rec: mech soft, nectar thick, chin tuck.
Named objects 6/10; said he was born in "{place:Paducah|Hilo}" and that the year is 1962. Sang in choir at \
{org:First Baptist Mayfield|Central Union Church}, enjoyed hymns.
D/c to {facility:Parkview Nursing & Rehab|Kuakini Home} on {date:Fri 3/4|8-31}, SLP there {clinician:Jolene|Kimo \
Akana}, fax {phone:270 555 0171|808-555-0150}. {clinician:Tara Bledsoe|Malia Sato-Green}, MS, CCC-SLP, lic \
{registration:SP-44170|HI 0882}""",
    ),
    (
        "research visit note",
        Patient("Delacroix-Webb^Noémie", date(1990, 12, 5), ("3304178",), date(2023, 8, 22)),
        Patient("Stromberg^Anders", date(1971, 8, 14), ("3318027",), date(2022, 2, 15)),
        """\
VISIT 4 / WEEK 12  {date:22-AUG-2023|15FEB2022}
Subject ID {id:0417-0023|1102-0088} rand. no. {id:R44170|20917}  initials {initials:NDW|A-S}
{x:|Mr }{patient:Noémie|}{patient:|Stromberg} arrived fasting at 8:05. IP kit {id:K-88172|004417} dispensed. ECG \
machine {serial:MAC55-SKV04417|ELI-117-20882}. Vitals ok. ALT 41.
AE: sprained wrist {date:Aug 4|7FEB}, seen at {facility:CityMD Bushwick|Duluth Urgent Care}. Con med ibuprofen.
Travel paid: {street:212 Himrod St|40 E Superior St}, venmo {handle:@noemie-dw|@a-stromberg71}. Monitor \
{other:Pavel|Ute Ahrens} on site {date:8/29|Thu 24 Feb}.
Coordinator: {clinician:Shanelle Dupree|K. Ylitalo}; PI Dr {clinician:Roth-Mancini|Haakonsen}, IP \
{ip:192.168.44.17|10.117.8.20}""",
    ),
    (
        "pharmacy clarification",
        Patient("Broadhurst^Lynne", date(1953, 9, 23), ("604417",), date(2021, 11, 15)),
        Patient("Nowakowski^Zygmunt", date(1946, 4, 30), ("617802",), date(2022, 12, 28)),
        """\
Pharm: warfarin query re {x:|Mr }{patient:L Broadhurst|}{patient:|Z. Nowakowski} ({birth:23/9/53|30.04.46}) \
{mrn:604417|617802} – TTO says 3mg, yellow book says 4 mg on {x:last |}{date:Friday 12/11|}{holiday:|Xmas eve}. D/w \
Dr {clinician:Lim|Farrell} bleep {phone:1180|2-417}, confirmed 4. {patient:Lynne|Zyg}'s INR clinic = \
{facility:Buxton|Heanor Memorial}, next {date:18/11|4/1}. Blister pack by {org:Wain's Chemist|Pickford Pharmacy}, \
{street:High St|Derby Road}, {phone:01632 960 800|01332 555 0144}. Daughter {relative:Kate|Basia} informed. \
{clinician:T. Ormerod|Rukhsana} MRPharmS {registration:2204417|2066120}""",
    ),
    (
        "ED discharge instructions, US",
        Patient("Fairweather^Autumn", date(2000, 1, 1), ("9044171",), date(2023, 7, 23)),
        Patient("Pope^Virgil", date(1973, 9, 14), ("9057720",), date(2021, 12, 24)),
        """\
{facility:ST. BRENDAN'S|Yellow Creek Regional}{x: EMERGENCY DEPARTMENT| ED}   {street:2900 W. Pontiac Blvd|100 \
Hospital Loop}, {town:Kokomo|Iuka}
DISCHARGE INSTRUCTIONS FOR: {patient:Autumn Fairweather|VIRGIL POPE}   VISIT: {id:E2307-0417|00018827741}   \
{date:July 23|12/24/21}
You were seen by {clinician:CHARITY KNIGHT|Deacon Church}, {x:PA-C|MD}. You have a sprained ankle. Ice it. Take \
ibuprofen 600 mg with food.
Follow up with Dr. {clinician:Sherman Priest|Lake} in 5 days, by {date:7/28|Dec 29th}. Phone {phone:765 555 \
0138|(662)555-0191}.
Return if your toes turn blue. Work excuse for {employer:Haynes Alloys|Tishomingo Lumber} through {date:07/25|12/27}.
I understand these instructions: ______ {patient:A. Fairweather|Virgil L. Pope}   witness {x:|nurse }{clinician:C \
Nightingale|Bird}""",
    ),
    (
        "neurosurgery on-call referral, UK",
        Patient("Thorogood^Piers", date(1982, 8, 20), ("7120044",), date(2022, 11, 28)),
        Patient("Eze^Chukwudi", date(1991, 7, 4), ("7133018",), date(2023, 12, 2)),
        """\
referapatient {x:REF |}{id:448127|RAP-90117} {date:28/11/22|Sat 2 Dec} 03:40
from Dr {clinician:Imogen Fry|Bello}, ED {facility:QEH King's Lynn|Darent Valley}, {x:|ext }{phone:07700 900 \
471|}{phone:|60417}
40M {patient:Piers Thorogood|C. Eze}, {mrn:7120044|7133018}. fell from ladder/roof in {place:Hunstanton|Swanscombe}, \
GCS 13 E3V4M6, CT: R acute SDH 9 mm, MLS 4. images linked via IEP to {facility:Addenbrooke's|King's}. INR 1.0
advice (Mr {clinician:Tolias-Grant|Ventura}'s team, reg {clinician:Yiannis|Sana Mirza}): accept for transfer, keppra \
1 g, call bed manager {clinician:Denise|Patrice} {phone:21417|020 3299 0117}. NOK {relative:Arabella|Ngozi} aware. \
update {date:29/11|3/12} am.""",
    ),
    (
        "dermatology letter, NZ",
        Patient("Hapuku^Wiremu", date(1951, 6, 2), ("HJA8820",), date(2022, 2, 24)),
        Patient("Bosworth^Glenda", date(1962, 4, 14), ("CKT4417",), date(2021, 6, 30)),
        """\
{date:24 February 2022|30/06/21}
Dr {clinician:Quigley|Tamsyn Herd}, {practice:Kaikoura Health|Te Awamutu Medical}
RE: {patient:Wiremu HAPUKU|Glenda BOSWORTH}, NHI {mrn:HJA8820|CKT4417}, {street:RD 1, 440 Inland Rd|19 Roche St}, \
{place:Kaikōura|Te Awamutu}
Thank you for referring this {x:crayfisher|farmer} with a changing naevus on the back. Excised {date:10 Feb|Fri 11 \
June}: melanoma 0.7 mm, Clark II, lab no. {id:22-C004417|W21/88120}, {facility:Canterbury Path|Waikato}{x:| labs}. \
Whānau support by {x:moko |daughter }{relative:Anahera|Philippa}. Wide excision on {date:17 March|Wednesday the 28th \
of July}. He can ring {x:|our nurse }{clinician:Moana|Trish} on {phone:03 555 0126|07 555 0133}. Photos: \
{url:https://dermpix.example/hja8820|dermpix.example/u/4417c}
Dr {clinician:Finlay Osterberg|Meera Joshi-Bell} FRACP""",
    ),
    (
        "vascular access / line note",
        Patient("Cottingham^Sidney", date(1940, 8, 4), ("5504471",), date(2020, 6, 26)),
        Patient("Ferrante^Assunta", date(1933, 10, 1), ("5517720",), date(2021, 3, 8)),
        """\
PICC placed {date:26.06.20|8/3/21} 14.20 by {clinician:Vesna Kralj|Siju P.} under US, R basilic, 41 cm, tip lower \
SVC on CXR. {patient:COTTINGHAM SIDNEY|Ferrante Assunta} {mrn:550 4471|5517720}. Lot {serial:REEU4417|JUGT0093} \
Consent form 1. Next dressing {date:3/7|Mon 15/3}. Team: IV access, {facility:Castle Hill|Peterborough City}, \
{x:|bleep }{phone:01632 960 244|}{phone:|1417}. community: {x:DN |DN }{clinician:Moira|Jo} c/o {practice:Hessle \
Grange|Whittlesey}{x:| surgery}. Info leaflet given to {x:sister |Mrs }{relative:Connie|Tedesco}""",
    ),
    (
        "addiction clinic, US",
        Patient("Lafferty^Sean", date(1986, 3, 17), ("BH-10447",), date(2022, 1, 27)),
        Patient("Whitfield^LaShonda", date(1980, 11, 29), ("BH-11802",), date(2019, 10, 11)),
        """\
OBOT f/u. {patient:Sean L.|LaShonda} ({mrn:BH-10447|BH-11802}), bup/nx 16 mg, UDS {date:1/20|10.4.19} neg, PDMP ok. \
Court date {date:Feb 14th|Weds Oct 23} before Judge {other:Ackerman|T. Ruiz-Boyd}, docket \
{id:2022-CR-0417|19CR08821}. PO is Officer {other:Danforth|Kendra Mays}. Living at {facility:Brady House|Oxford \
House Magnolia}, {street:61 Cedar St|3304 Lyndale}; works nights at {employer:Amazon BOS7|Piggly Wiggly}. \
{x:Girlfriend|Boyfriend} {relative:Kaylee|Dre}. Sponsor {x:|Miss }{other:Fitz|}{other:|Odessa} {phone:508 555 \
0187|804-555-0122}. Drives on susp. license {license:S44170982|T64-20-8817}. Relapse on {holiday:New Year's \
Eve|}{date:|July 4th}. Next {date:2/3/22|10/18/19}. {clinician:J. Amaral|Roz Pettaway}, LADC""",
    ),
    (
        "dietitian, UK, lower case",
        Patient("Fothergill^Jessamy", date(1996, 5, 2), ("di40417",), date(2023, 2, 2)),
        Patient("Bogdanowicz^Kamil", date(1988, 1, 31), ("di41820",), date(2022, 5, 18)),
        """\
{date:2 feb 23|18/5}, dietetics tel r/v. {patient:jessamy fothergill|kamil bogdanowicz}, {birth:2 may 96|31.1.88}, \
no {mrn:di40417|di41820}
wt 48.2 (51 in {month:november|feb}), bmi 17.1. crohns, modulen po. lives with {x:gran |mate }{relative:peggy|radek} \
in {place:kirkbymoorside|peterlee}. student {school:york st john|east durham college}. fav meal: pizza. seen {x:dr \
|sister }{clinician:auld|hepple} {x:|last }{date:27 jan|thurs 12/5}. calpro 880. rpt bloods at {practice:ryedale \
med|william brown centre}. feeds to {postcode:yo62 6dn|sr8 1pl}. call {phone:07700 900 662|07700900417} pm only. \
{clinician:saskia p|tobias lunt} rd""",
    ),
    (
        "ICD clinic, Ireland",
        Patient("Hanrahan^Declan", date(1958, 12, 8), ("M004417",), date(2023, 3, 21)),
        Patient("Tuohy^Assumpta", date(1949, 8, 15), ("M018820",), date(2022, 9, 29)),
        """\
DEVICE CLINIC {date:21/3/23|29th Sept. '22} {facility:Portiuncula|Croom Orthopaedic & Cardiac}
{patient:Hanrahan, D (Declan)|Assumpta Tuohy} {mrn:M004417|M018820} - Boston Sci D233, serial \
{serial:604417|#188204}; RV lead {serial:0693-220417|LEN 448 812 V}, implanted {holiday:|Holy Thursday}{x:| }{date:8 \
Dec 2019|1/4/21} by Prof {clinician:Daly-Keogh|Sugrue}. Thresholds 0.6 V, 1 ATP {date:2/2/23|17 August}. Home \
monitor {serial:WV-88 417 20|6288-0411} in {place:Ahascragh|Ballingarry}. Hurling coach with \
{org:Ahascragh-Fohenagh|}{x:|the parish}. Pharmacy {org:Kilduff's|O'Shea's}, {street:Main St|Church St}. HSE card \
{insurance:D4417820A|7720 4417}. cert sent {email:dhanrahan@eir.example|assumpta.t@eir.example}. \
{clinician:Gráinne|P.J. Lohan}""",
    ),
    (
        "blood bank incident",
        Patient("Mukherjee^Rina", date(1974, 3, 14), ("8804417",), date(2020, 12, 1)),
        Patient("Ledesma^Joaquin", date(1969, 7, 9), ("8819207",), date(2021, 5, 25)),
        """\
Incident {x:DATIX |}{id:W88204|ESR-2021-0417}, {date:1 Dec 2020|05/25/2021}: Unit {id:G0521 20 044 170 N|W0382 21 \
117204} meant for {patient:R. MUKHERJEE|LEDESMA J} ({mrn:8804417|8819207}, DOB {birth:14/3/74|07-09-69}) was hung \
for {other:Rita Mukerji|Joaquín Ledezma} ({mrn:8804471|8819270}, DOB {date:14/3/1947|7/9/96}). Stopped at 15 ml by \
S/N {clinician:Owusu-Afriyie|Kimberlin}. Both group O. Reported by {clinician:Fenella Dobbs|H. Trask}, ext \
{phone:6417|555-0117}. Families told: {x:Mr |}{relative:Mukherjee|Paz Ledesma}; {x:Dr |son }{relative:Anil \
Mukerji|Iker}. {ward:Calder|Santa Rosa} Ward closed to transfusion until {date:3/12|May 28}.""",
    ),
    (
        "travel clinic",
        Patient("Brightwell^Tessa", date(1994, 7, 29), ("TC1417",), date(2023, 5, 3)),
        Patient("Kaltenbach^Lukas", date(1989, 9, 21), ("TC2088",), date(2022, 10, 4)),
        """\
Travel consult {date:May 3rd 2023|4. Okt 2022}: {patient:Tessa Brightwell|Lukas Kaltenbach}, file \
{mrn:TC1417|TC2088}, passport {id:533 044 170|C4417FX82}
Going to Kenya and Tanzania {date:12 June|29/10} to {date:3rd July|Nov 20}; with {x:fiancé |sister \
}{relative:Barnaby|Annika}. Flight {id:BA065|LH 8274}. Volunteering for {org:Tumaini Orphans Trust|Netzwerk Kisumu}.
Yellow fever batch {serial:UJ441AB|V4E881}, stamp {id:UKYF 20417|DEGF-088}. Malarone. Hep A booster due \
{month:11/2023|April '23}.
Insured {x:GeoBlue |ADAC }{insurance:4417-88|204 417 88}; emergency contact {x:|Vater }{relative:Helen B|Jürgen} \
{phone:+44 7700 900 129|+49 171 5550142}. Blog {url:www.tessaroams.example|lukas-unterwegs.example}. Sr \
{clinician:Bronagh|Ilse Trautmann}""",
    ),
    (
        "veterans clinic, US",
        Patient("Knecht^Orville", date(1922, 8, 6), ("K4417",), date(2018, 11, 9)),
        Patient("Catron^Lavern", date(1925, 2, 11), ("C8820",), date(2019, 5, 27)),
        """\
VA C&P EXAM   {date:NOV 09, 2018|MAY 28,2019}{x:|@10:30}
VETERAN: {patient:KNECHT,ORVILLE|CATRON,LAVERN J}   {id:K4417|C8820}   SSN {x:xxx-xx-|}{ssn:4417|404 17 8820}   AGE \
{age90:96|94}   CLAIM {id:28 441 709|C-20 417 882}
WWII VET, WOUNDED AT {place:DÜREN|OKINAWA} {month:DEC 44|MAY 1945}. HEARING LOSS, SHRAPNEL L THIGH. RETIRED FROM \
{employer:FRIGIDAIRE|L&N RAILROAD}. GREAT-GRANDSON {relative:TYLER|JACE} DROVE HIM FROM {place:VANDALIA|CORBIN}{x:, \
OHIO|}. ATTENDED {holiday:VETERANS DAY|MEMORIAL DAY} PARADE.
AUDIO: SNHL MOD-SEVERE AU. AIDS S/N {serial:19W04417/19W04418|OPN 88120417}
/es/ {clinician:GWENDOLYN P STAHL|MARCUS A. TUGGLE}, AuD   {date:11/09/2018|05/28/2019} 16:02   {facility:DAYTON \
VAMC|LEXINGTON VA}""",
    ),
    (
        "school nurse note",
        Patient("Applegate^Rowan", date(2011, 11, 11), ("SN0417",), date(2022, 9, 22)),
        Patient("Iqbal^Zara", date(2009, 6, 24), ("SN0882",), date(2023, 11, 16)),
        """\
{school:Millbrook Middle School|Nelson Park Academy} health office, {date:9/22|16 Nov}
{patient:Rowan A.|zara iqbal} student no {mrn:SN0417|SN0882}, T1DM. BG 48 @1015 in {x:Mr. |miss \
}{other:Vickers|adeyinka}'s gym class, gave 15 g juice, 92 @1035. Pump {x:PDM |MMT-1780 \
}{serial:0417-22188|NG44170}. Called {x:mom |Mrs }{relative:Beth|Nasreen Iqbal} {phone:845 555 0113|07700 900 934}, \
{x:no answer|ok}; emailed {email:bapplegate@vale.example|n.iqbal7@vale.example}. Endo is Dr \
{clinician:Castle-Romano|Okafor-Hume} at {x:|the }{facility:Westchester Kids Diabetes|Jenny Lind}, next appt \
{date:10/3|5/12}. Buddy {other:Liam K.|Poppy} walks with her. {x:Nurse |Miss }{clinician:Terri|Bickerstaff}""",
    ),
    (
        "insurance / medico-legal report",
        Patient("Partridge^Robin", date(1967, 1, 20), ("MLR417",), date(2021, 9, 17)),
        Patient("Heath^Heather", date(1979, 3, 30), ("MLR882",), date(2020, 3, 12)),
        """\
MEDICAL REPORT prepared for {org:Keoghs|Minster Law}, your ref {id:PART/0044170/JH|ML.88.HEATH.204}
Claimant: {x:Mr|Ms} {patient:Robin Partridge|Heather Heath}, {street:The Dingle, Church Lane|52a Moor View}, \
{town:Ashby Parva|Drighlington} {postcode:LE17 5HY|BD11 1AB}. NI no. {id:NE 04 41 70 A|PB882041D}. ID seen: passport \
{id:512204417|498117602}.
Accident {date:Sunday 14 February 2021|11/10/19}: Vauxhall Astra {plate:YK16 OVT|FJ63 XRB} struck by van {plate:BV70 \
LLO|WF18 KKE} on {street:Lutterworth Road|Wakefield Road}. Passenger {relative:Jay|Lark}. Whiplash. Seen \
{facility:Leicester Royal|LGI} {date:15/2|12 Oct}; physio x6 with {clinician:Wren Castle|Ash Woods}, \
{practice:Fit4Life Blaby|Gildersome}{x:| physio}.
On examination full range, mild trapezius spasm, Spurling negative. Prognosis nine months from {date:17 \
September|12/3/2020}.
{x:Mr |Miss }{clinician:Julian Crane|Olive Berry} FRCS""",
    ),
    (
        "incident form after a fall, care home",
        Patient("Lavery^Concepta", date(1931, 10, 8), ("CH0417",), date(2024, 2, 11)),
        Patient("Ormondroyd^Walter", date(1933, 3, 22), ("CH0882",), date(2023, 8, 28)),
        """\
INCIDENT FORM (tick: Fall X  Other _)    Home: {facility:Nazareth Lodge|Scarr Bank}    Date {x:|Bank Hol \
}{date:11/02/24|Mon 28/8}  Time 06.25
Resident {patient:Connie Lavery|WALTER ORMONDROYD}   Room {x:9|14}   Ref {mrn:CH0417|CH0882}   Age {age90:92|90}
Found on floor by bed by {x:|night carer }{clinician:Bozena|Precious}. Small skin tear L shin. Said "i was looking \
for {relative:Paddy|Marjorie}". Obs normal, 111 rang, paramedics attended, job {id:NW4417-22|Y0088201}. Sensor mat \
{serial:SM-20417|RF/77120} was unplugged. Family told: {x:niece |son }{relative:Breege|Barrie}, {phone:028 9555 \
0117|07700 900 258}. GP Dr {clinician:McAteer|Ramsbottom} informed {date:12/2|29 Aug}. Manager {clinician:Goretti \
Toal|L. Sykes} signed. Reported to inspector Mr {other:Boal|Hirst}.""",
    ),
]
