"""Notes for `note_release.py --sets independent-second`: 80 whole notes of 80 styles, one patient each.

Written, like those of `release_sealed.py`, by a hand that had not seen the rules: letters, summaries, reports, forms,
lists and hurried notes from the United States, the United Kingdom, Ireland, Australia, Canada, India and South Africa.
All people, numbers and addresses are invented.

The markup is that of `release_sealed.py` with one value for each identifier, and so is what is marked. Names of
hospitals, practices, schools and firms are marked whole; titles before a name, "Ward", "Unit" or "Pharmacy" behind one,
numbers of beds, bays and models, names of programmes and insurers, and scores, signs and devices called after people
are not.
"""

from __future__ import annotations

import random
from datetime import date

from release_sealed import Note, Patient, read, shift

from data_schemas.scan import PatientFacts


def second_notes() -> list[Note]:
    """The notes, always the same ones."""
    notes = []
    for number, (style, patient, marked) in enumerate(NOTES):
        text, spans = read(marked, 0)
        facts = [PatientFacts(patient_id=one, name=patient.name, birth_date=patient.born) for one in patient.ids]
        notes.append(Note(style, text, spans, facts, patient.written, shift(random.Random(1000 + number))))
    return notes


NOTES: list[tuple[str, Patient, str]] = [
    (
        "discharge summary, US",
        Patient("Tillotson^Wanda Marie", date(1951, 8, 19), ("00418823",), date(2019, 3, 14)),
        """{facility:Hollis Creek Regional Medical Center}
{street:2200 Quarry Road}, {town:Zanesburg}, OH {postcode:43701}    Main {phone:(740) 555-0112}

DISCHARGE SUMMARY

Patient: {patient:Tillotson, Wanda M}      MRN: {mrn:00418823}      DOB: {birth:08/19/1951}
Admitted: {date:03/09/2019}      Discharged: {date:03/14/2019}
Attending: {clinician:Gregory Voss}, MD      PCP: {clinician:Anjali Raghavan}, DO, {practice:Pine Street Family Care}

PRINCIPAL DIAGNOSIS: Acute on chronic HFrEF (EF 25-30%), ICD-10 I50.23.
SECONDARY: CKD stage 3b, T2DM (A1c 8.4), Graves disease s/p RAI in 2006, Barrett's esophagus.

HOSPITAL COURSE: Ms. {patient:Tillotson} is a 67-year-old retired teller who presented with 5 days of orthopnea and a \
12 lb weight gain after running out of Lasix. BNP 2,140, troponin 0.04 x 3, CXR with Kerley B lines. She was diuresed \
with IV Bumex 2 mg BID, net -6.8 L, discharge weight 81.2 kg. Echo {date:3/11} by Dr. {clinician:Park-Ellison} showed \
EF 28%, E/e' 19, moderate MR. Entresto 24/26 started {date:3/12}, tolerated with BP 104/62. Cr peaked at 1.9 and fell \
to 1.5.

EXAM AT DISCHARGE: T 98.2, HR 68, RR 16, SpO2 96% on room air. No JVD at 45 degrees, S1 S2 normal, 2/6 holosystolic \
murmur at the apex, lungs clear, trace edema, no Janeway lesions or Osler nodes. Skin warm, Braden 21. Strength 5/5, \
reflexes 2+, Babinski absent, gait steady on Timed Up and Go 11 s.
LABS: Na 136, K 4.1, Mg 2.0, BUN 31, glucose 142, WBC 7.8, Hgb 11.2, ferritin 88, TSAT 17% (Venofer 200 mg x2). EKG: \
sinus 72, LBBB, QRS 148, QTc 462. Sgarbossa criteria not met. STOP-BANG 5. KCCQ-12 41.

DISPOSITION: Home with {org:Buckeye Valley Home Health}. Her son {relative:Curtis} ({phone:740-555-0163}) will fill \
the pill box.

FOLLOW UP: Heart failure clinic {date:Thursday, March 21} at 10:20 with {clinician:Corliss Orr}, NP. BMP in 1 week. \
Weigh daily; call for gain of 3 lb in 1 day or 5 lb in 1 week.

Electronically signed by {clinician:Voss, Gregory}, MD on {date:03/14/2019} at 15:42""",
    ),
    (
        "discharge summary, US orthopedics",
        Patient("Quintanar^Delfina", date(1944, 12, 2), ("7730219",), date(2021, 10, 8)),
        """DISCHARGE SUMMARY - ORTHOPEDICS

NAME: {patient:DELFINA QUINTANAR}
MR#: {mrn:7730219}    ACCT: {account:V00093318827}
SURGEON: {clinician:WALTER B. STEEN}, M.D.
ADMIT: {date:OCT 5, 2021}    DISCHARGE: {date:OCT 8, 2021}

PROCEDURE: Right total knee arthroplasty, {date:10/05/21}. Implant: Triathlon CR size 4 femur, size 3 tibia, 9 mm \
insert, ref 5515-F-402, lot {serial:K8R2M}. Tourniquet time 74 min at 300 mmHg. EBL 150 mL.

COURSE: The patient is a 76 y/o female from {place:Las Cruces} with Kellgren-Lawrence grade 4 osteoarthritis who \
failed Synvisc. PT on POD 0. By POD 3 she walked 150 ft with a rolling walker, ROM 5-90. Hgb 12.8 to 9.9. One episode \
of emesis after oxycodone; switched to tramadol 50. Homans negative, no calf tenderness. Incision clean, Aquacel in \
place until {date:10/12}.

PT/OT: Bed mobility mod I, sit to stand CGA, stairs 4/4 with rail, AM-PAC 18/24. Quad set good, SLR without lag 8/10. \
Knee immobilizer stopped. VAS 3/10 at rest, 6/10 with motion. Cryo cuff q2h. Wells score 1, Caprini 8. Foley out at \
06:00 on POD 1, voided 350 mL; bladder scan 42 mL. Glucose 118-164, no Humalog needed. Na 138, K 4.0, Cr 0.8. Plain \
films: components well fixed, Blackburne-Peel 0.8, no Hoffa impingement, varus 1 degree.

MEDICATIONS: aspirin 81 mg BID x 30 days, Celebrex 200 mg daily, Colace 100 mg BID, Synthroid 88 mcg.

DISCHARGED TO: {facility:Mesilla Gardens Rehab}, report called to {clinician:Tonya}, LPN at {phone:575-555-0140}. \
Daughter {relative:Graciela Quintanar-Kincaid} aware, cell {phone:(575) 555-0177}. Clips out {date:October 19} in Dr. \
{clinician:Steen}'s office, fax {phone:575.555.0102}.

D: {date:10/08/2021} 0915    T: {date:10/08/2021} 1341    Job {id:5520917}    {initials:WBS}/{initials:mjk}""",
    ),
    (
        "discharge letter, UK",
        Patient("Attenborrow^Kenneth", date(1938, 5, 27), ("T104882",), date(2022, 1, 18)),
        """{facility:Wharfemoor District Hospital}
Department of Respiratory Medicine, {ward:Curlew} Ward

Dr {clinician:S Bannerjee}
{practice:The Old Tannery Surgery}, {street:3 Tannery Lane}, {town:Otterbeck} {postcode:LS29 4ZZ}

Patient: Mr {patient:Kenneth ATTENBORROW}    DOB {birth:27/05/1938}    Hosp no {mrn:T104882}    NHS {nhs:943 476 5919}
{street:16 Beck View}, {town:Otterbeck}
Admission: {date:11/01/2022}    Discharge: {date:18/01/2022}    Consultant: Dr {clinician:Fiona Lightbody}

Dear Dr {clinician:Bannerjee},

Diagnosis: infective exacerbation of COPD (GOLD 3, FEV1 0.92 L), CURB-65 score 2. Background AF, CHA2DS2-VASc 4, \
Dupuytren's both hands.

This 83 year old ex-miner came in with green sputum and sats of 84% on air. ABG on 28% Venturi: pH 7.33, pCO2 7.1, \
pO2 8.2. Had 36 hours of NIV, IPAP 18 EPAP 5. Sputum grew Haemophilus, sensitive to doxycycline. A Waterlow of 17 was \
noted. His wife {relative:Edith} is in {facility:Moorside Lodge} with Alzheimer's and he lives alone; their neighbour \
{other:Mick Ogden} ({phone:01632 960417}) has the key safe code.

On examination he was using accessory muscles, with Hoover's sign, a hyperinflated chest and scattered wheeze. JVP \
was not raised; there was no ankle oedema, and Homans' sign was negative. CXR: bullae, no consolidation, Ghon focus \
as before. ECG: multifocal atrial tachycardia settling to AF at 84, P pulmonale. Bloods: Hb 161, WCC 14.2, CRP 96, \
urea 7.4, eGFR 64, BNP 210, theophylline not measured. MRC dyspnoea grade 4, CAT score 27, BMI 19.6, Rockwood 5. He \
was seen by the Stop Smoking team (Champix not available, NRT 21 mg patch) and by physio for Acapella and huff. LTOT \
assessment in 8 weeks; resting sats at discharge 90%.

Changed: Trelegy 92/55/22 started, Ventolin continued, prednisolone 30 mg until {date:20/01}, bisoprolol 2.5 mg \
unchanged.

GP please: repeat U&E in 2 weeks. We will see him in clinic in {month:March}. DNACPR discussed {date:14th January} \
and he does not wish for resuscitation.

Dr {clinician:Owain Tudor-Rees}, FY2, bleep {phone:4471}, GMC {registration:7688120}""",
    ),
    (
        "discharge summary, Ireland",
        Patient("Ní Bhriain^Sorcha", date(1989, 11, 3), ("5520713",), date(2023, 6, 26)),
        """{facility:St Finnbar's Regional Hospital}, {town:Ballinacorra}
Patient Discharge Summary

Name: {patient:Sorcha Ní Bhriain}    MRN: {mrn:5520713}    DoB: {birth:03-Nov-1989}
Address: {street:An Grianán, Lower Road}, {town:Castlemartyr}, {place:Co. Cork}, {postcode:P25 XK40}
GP: Dr {clinician:Declan Horgan}, {practice:Bridge House Medical Centre}, Healthmail \
{email:dhorgan@bridgehouse.example.ie}
Admitted {date:21-Jun-2023} via ED; discharged {date:26-Jun-2023}; consultant Prof {clinician:Aoibheann Twomey}

Dx: acute severe ulcerative colitis, Truelove and Witts criteria met. Index presentation.

33 year old primary teacher at {school:Scoil Mhuire Naofa}, 10 stools/day with blood, CRP 88, albumin 27, Hb 9.8, \
calprotectin >1800. AXR: no megacolon. Flexible sigmoidoscopy {date:22/6}: Mayo 3 to splenic flexure, CMV negative, \
no evidence of Crohn's. IV hydrocortisone 100 mg QDS x 3 days, Day 3 CRP 12 with 3 stools, so no Infliximab rescue. \
Converted to prednisolone 40 mg, tapering by 5 mg weekly. Clexane 40 mg while inpatient. VTE score 3.

Bloods on discharge: Hb 10.1, MCV 78, plt 488, CRP 9, albumin 31, K 3.9, Mg 0.78, ALT 24, ferritin 18, Vit D 31 \
nmol/L. TPMT normal, HBV/HCV/HIV neg, VZV IgG pos, Quantiferon neg, C. difficile GDH neg, stool C&S neg. Montreal E3 \
S3. Partial Mayo 2/9. Calcichew D3 Forte, Ferinject 1 g given. Azathioprine 2 mg/kg and Entyvio vs Stelara to be \
talked over at MDM. No Sweet's, no pyoderma, no uveitis; Schober 15 to 20 cm. DEXA in 2024.

Follow-up IBD clinic with CNS {clinician:Bríd Falvey} in 2/52, {date:10th July} at 09:30. IBD helpline {phone:021 555 \
0186}. Husband {relative:Pádraig} present at the discharge talk and has her card, PPS no {id:7714382TB}.

NCHD: {clinician:Tariq Al-Busaidi}, MCRN {registration:441872}""",
    ),
    (
        "discharge summary, Australia",
        Patient("Papageorgakis^Lefteris", date(1956, 4, 11), ("882147",), date(2020, 9, 2)),
        """DISCHARGE SUMMARY    {facility:Yarrandoo Base Hospital}
UR: {mrn:882147}    Name: {patient:PAPAGEORGAKIS, Lefteris}    DOB: {birth:11/04/1956}    Sex: M
Medicare: {insurance:2951 63417 1 / 2}    IHI {insurance:8003 6012 3456 7890}
Address: {street:Unit 4/118 Wattlebird Parade}, {town:Yarrandoo} VIC {postcode:3995}
Adm {date:28/08/2020}    D/C {date:02/09/2020}    Unit: Cardiology    Consultant: {clinician:A. Wickramasinghe}
LMO: Dr {clinician:Lynelle Leach}, {practice:Foreshore Medical}

Presenting problem: inferior STEMI. Pain onset 06:15 while crabbing with his brother {relative:Manoli}, ambulance \
07:02, lysed with tenecteplase 45 mg in the field, then transferred by air to {facility:Prince Edward Heart Centre}, \
{place:Melbourne}. Angio {date:28/8}: 90% mid RCA, DES 3.5 x 22 mm; LAD 40%, FFR 0.86. TIMI 3 flow. Peak TnI 18,400. \
TTE: LVEF 48%, no thrombus. Brief Wenckebach, no pacing.

PMHx: HTN, gout, OSA on CPAP 10 cmH2O, ex-smoker 40 pack years. Occupation: truck driver with {employer:Gippsland \
Bulk Haulage}; no commercial licence for 4 weeks (licence {license:047 118 223}).

On examination pre-discharge: HR 62, BP 112/70, R radial site Allen's normal, no haematoma, chest clear. Killip I on \
arrival. GRACE 118. ECG: Q waves II, III, aVF, T inverted. Lipids: TC 6.4, LDL 4.1, HDL 0.9, TG 2.2, Lp(a) 88 nmol/L. \
HbA1c 5.9%, TSH 1.8, eGFR 88. AUSDRISK 14. Mallampati III. Told to avoid heavy lifts for 2/52, and Viagra with \
Nitrolingual. Corneal arcus, Dupuytren's L ring finger, Heberden's nodes. PHQ-2 1.

Meds: Cartia 100 mg, Brilinta 90 mg bd, Lipitor 80 mg nocte, Coversyl 5 mg mane, Panadol PRN.

Plan: 1. GP 1 week. 2. Cardiac rehab, call {clinician:Jodie} on {phone:(03) 5550 1942}. 3. Dr \
{clinician:Wickramasinghe}'s rooms {date:14 October}.
Author: {clinician:Jarrod Trewhella} (RMO), pager {phone:318}""",
    ),
    (
        "discharge summary, Canada, dictated",
        Patient("Desrosiers^Rhéal", date(1947, 2, 9), ("J0047193",), date(2018, 5, 4)),
        """DISCHARGE SUMMARY

PATIENT NAME: {patient:Desrosiers, Rhéal}
HRN: {mrn:J0047193}      HCN: {insurance:4417-882-093-KM}
DATE OF ADMISSION: {date:2018-04-26}      DATE OF DISCHARGE: {date:2018-05-04}
MRP: Dr. {clinician:Hilary Osgoode}
cc: Dr. {clinician:Étienne Gauthier}, {practice:Kapuska Family Health Team}, fax {phone:705-555-0191}

Mr. {patient:Desrosiers} is a 71-year-old gentleman, a retired welder from {place:Hearst}, who was transferred from \
{facility:Notre-Dame-du-Nord Hospital} with cholangitis. Reynolds pentad was not complete: temperature 39.2, \
bilirubin 118, WBC 19.4, lactate 3.1, GCS 15. ERCP on {date:April 27} by Dr. {clinician:Khoury} with sphincterotomy, \
three stones removed by balloon, and a 10 Fr x 7 cm plastic stent left. Blood cultures from {date:April 26} grew E. \
coli in 2/2 bottles, sensitive to ceftriaxone, and he completed 7 of 10 days here. Of note he had an elevated CA 19-9 \
of 240, which fell to 41.

He had Bell's palsy in 2011. Allergies: sulfa. Code status: full code.

On examination at discharge, he was afebrile with blood pressure 128/74, pulse 70. Murphy's sign was negative, there \
was no Courvoisier gallbladder, and no Grey Turner or Cullen sign. Ultrasound on admission had shown a 14 mm common \
bile duct and a Phrygian cap. MRCP: pancreas divisum, no Klatskin tumour, no Mirizzi. White count 8.1, hemoglobin \
128, platelets 301, INR 1.1, bilirubin 34, ALP 188, lipase 44. Tokyo guideline grade II. Laparoscopic cholecystectomy \
within 6 weeks; ASA 2, METs over 4. He is to watch for fever, rigors, dark urine, and to take Actigall 300 mg no \
longer.

He goes home by bus with his partner {relative:Ghislaine Roy}, phone {phone:(705) 555-0128}, who interprets; French \
is preferred. Stent removal is booked for {date:June 12, 2018}. CBC, AST/ALT at {org:Timmer Labs} on {date:May 11}. \
Tylenol 650 mg q6h prn; Cipro 500 mg BID until {date:May 7}.

Dictated by: {clinician:Lionel Oyelaran}, PGY-2, for {clinician:H. Osgoode}
DD: {date:2018-05-04}   DT: {date:2018-05-05}   Doc ID {id:1180-44273}""",
    ),
    (
        "discharge summary, India",
        Patient("Gopalakrishnan^Meenakshi", date(1962, 7, 30), ("UHID20114417",), date(2022, 12, 19)),
        """{facility:SREE ANANTHA MULTISPECIALITY HOSPITAL}
{street:No. 47/2, Temple Tank Road, Near Old Bus Stand}, {town:Karaikudi} - {postcode:630 001}, Tamil Nadu

DISCHARGE SUMMARY
Name: Mrs. {patient:G. MEENAKSHI}    W/o {relative:Gopalakrishnan}    Age/Sex: 60Y/F
UHID: {mrn:UHID20114417}    IP No: {id:IP/22/09817}    ABHA: {insurance:91-4482-0937-1126}
D.O.A: {date:12/12/2022}    D.O.D: {date:19/12/2022}    Consultant: Dr. {clinician:R. Venkatasubramanian}, MS, MCh

DIAGNOSIS: T2DM / SHTN / Diabetic foot ulcer right, Wagner grade 3 / S/P Ray amputation 4th toe on {date:14.12.22}

HISTORY: K/C/O DM x 15 yrs on Tab Glycomet GP2 1-0-1, Tab Telma 40 0-0-1. C/o swelling and foul discharge R foot x 10 \
days following thorn prick at native place {place:Devakottai}. No h/o TB/BA/epilepsy. O/E: conscious, febrile 101.4 \
F, PR 108/min, BP 150/90 mmHg, SpO2 98% RA. Inv: Hb 9.2, TC 18,400, P86 L10 E4, ESR 96, RBS 388, HbA1c 11.2%, creat \
1.4. X-ray R foot: gas shadows+. ABPI 0.8. Pus C/S Klebsiella, sensitive to Meropenem, Amikacin.

COURSE: Debridement + ray amputation under ankle block by Dr. {clinician:Venkat}. Inj Meropenem 1 g IV Q8H x 7 days, \
Inj Human Actrapid as per sliding scale. Diabetology opinion Dr. {clinician:Shanthi Arul} obtained.

CONDITION AT DISCHARGE: Stable, ambulant with Darco shoe. Temp 98.6 F, PR 82/min, BP 130/80, wound 4 x 3 cm, \
granulating, no slough. Monofilament 4/10, vibration >25 V by Biothesiometer, Buerger's angle normal, ABPI 0.8, \
Doppler triphasic till DPA. Fundus: mild NPDR BE. Urine ketones nil, ACR 120. FBS 132, PPBS 188. ECG: WNL. 2D Echo: \
EF 60%, grade I LVDD. WIfI 2-0-2. Diet: 1400 kcal, no jaggery. MCR chappals advised, Wagner care sheet given in Tamil.

ADVICE: Inj Mixtard 30/70 20-0-14 units s/c, Tab Ecosprin 75 mg 0-1-0, Tab Shelcal 500. Dressing alternate days at \
{facility:Annai Clinic}. Review on {date:26/12/2022} with RBS. In case of emergency contact {phone:04565 555 018} / \
Mob {phone:+91 98421 00467}. Attender: son {relative:Karthikeyan}, {phone:9789000312}.

Prepared by: Dr. {clinician:Nivedha}, Reg. No TNMC {registration:118842}    Typed by: {clinician:Selvi}""",
    ),
    (
        "discharge summary, South Africa",
        Patient("Mthembu^Nokuthula Patience", date(1993, 1, 16), ("GJ-449182",), date(2021, 2, 23)),
        """{facility:Thabong Memorial Hospital}, Medical {ward:Protea} Ward
DISCHARGE SUMMARY

Surname: {patient:MTHEMBU}    First names: {patient:Nokuthula Patience}
Folder no: {mrn:GJ 449182}    ID: {id:9301160584089}
Residential: {street:Stand 1177 Extension 3}, {town:Thabong}, Free State    Cell {phone:073 555 0126}
Admitted {date:15/02/2021}    Discharged {date:23/02/2021}

28F, RVD reactive, CD4 41, VL 340 000, defaulted FDC since {month:Sept 2020}. Px with 2/52 headache, neck stiffness, \
GCS 14/15, Kernig positive. CT brain NAD. LP {date:15/2}: OP 32 cmH2O, lymph 84, poly 2, prot 1.9, gluc 1.1, India \
ink pos, CrAg titre 1:1280. GeneXpert MTB neg. Rx Amphotericin B 1 mg/kg + fluconazole 1200 mg x 7/7, daily LPs x 4. \
K 2.9 -> Slow-K. Hb 10.4 -> 8.1. COVID PCR neg.

On exam: T 38.1, P 104, BP 108/66, oral candida, no Kaposi, 2 cm cervical nodes, chest clear, Brudzinski pos, power \
5/5, plantars down, CN VI palsy R that resolved. Fundi: blurred discs grade 1 Frisen. MMSE 27/30, IHDS 9/12. uLAM \
neg, sputum Xpert Ultra neg x2, RPR 1:2 (TPHA pos, treated with Penilente x3), HBsAg neg, Pap LSIL 2019. CXR: no \
miliary. Ultrasound abdo: no nodes, spleen 11 cm, FASH neg. ECG NSR, QTc 440. Creat 68 to 92 on ampho, Mg 0.7 \
(Slow-Mag). WHO stage 4. Karnofsky 70 at discharge.

Counselled by Sr {clinician:Dlamini-Ngcobo} and social worker {clinician:Refilwe}. Sister {relative:Thandeka} is the \
treatment buddy, tel {phone:0825550173}. Works as domestic for the {employer:Van Rensburg} family in \
{place:Riebeeckstad}; child support grant for son {relative:Siyabonga} (6) who attends {school:Lesedi Primary}.

Plan: fluconazole 800 mg x 8/52, then 200 mg. ART restart {date:22 March 2021} with TLD at {facility:Bophelong \
Clinic}. Bactrim 2 tabs daily. RTC MOPD {date:9/3/21}.

Dr {clinician:J. Swanepoel} (comm serve)    HPCSA MP {registration:0718823}""",
    ),
    (
        "ICU progress note, US",
        Patient("Wetherbee^Dashiell", date(1978, 3, 22), ("90041772",), date(2020, 12, 29)),
        """MICU PROGRESS NOTE - {facility:Tidewater Memorial}
{date:12/29/2020} 0640    HD#9    Vent day 7
{patient:Wetherbee, D.}    MRN {mrn:90041772}    42M    Attending {clinician:Blankenship}

Overnight: proned 16h, P/F 118 -> 164. Norepi 0.06 -> off at 0300. Tmax 38.4.
Vent: VC 6 mL/kg IBW, 420 x 26, PEEP 14, FiO2 0.6, Pplat 28, driving pressure 14.
Gas 0412: 7.31/52/71/25.
Exam: RASS -4, CAM-ICU n/a, pupils 3 mm, coarse bilat, no edema, 7.5 ETT 24 at the lip, R IJ CVC 12/24 d5, L radial \
A-line, Foley, Dobhoff.
Labs: WBC 14.2, Hgb 8.9, plt 201, Na 148, Cr 2.2 (1.8), D-dimer 4.1, ferritin 2260, CRP 18. Bcx {date:12/26} NGTD x3.

A/P
1. ARDS, COVID+ {date:12/18}. Dex d10/10 finishes today. Continue low tidal volume, prone again 1600. ECMO consult \
with {facility:Old Dominion University Hospital} (Dr. {clinician:Sheffield}, {phone:757-555-0118}): declined, BMI 47.
2. AKI KDIGO 2: bladder pressure 14, renal ({clinician:Amadi}) following.
3. Fever: Zosyn d3, MRSA nares neg so vanc stopped.
4. ICU: Lovenox 60 bid, Pepcid, HOB 30, Jevity 1.2 at 40.
5. Dispo/family: fiancee {relative:Brielle} is not legal NOK; mother {relative:Darlene Wetherbee} of {place:Suffolk} \
is, {phone:(757) 555-0150}. Zoom visit {date:12/30} 1400, meeting ID {id:918 4402 7716}. Works at {employer:Newport \
Hull & Dry Dock}; HR form faxed.
Bundle: SAT failed 0530 (RR 38), SBT n/a, RASS goal -4, Nimbex off 0900, TOF 2/4, BIS 44. Murray score 3.25, SOFA 11, \
APACHE II 24, Berlin moderate. CXR: ETT 4 cm above the carina, Swan not placed, Macklin effect doubted, no \
pneumothorax. POCUS: EF normal, McConnell negative, IVC 1.9 cm, B-lines x4 zones. Triglycerides 388, lipase 61; \
propofol 40 to 30, fentanyl 150, Versed 4. Glucose 148-212, insulin drip 3.5 U/h. Aspergillus GM 0.2, beta-D-glucan \
<31, Legionella Ag neg. Peak/plat 34/28. Decub: none, Braden 9.
CCT 45 min. {clinician:K. Arroyo-Stone}, ACNP x{phone:7714}""",
    ),
    (
        "ward round entry, UK, telegram style",
        Patient("Featherstonehaugh^Ivy", date(1929, 9, 30), ("6610482",), date(2023, 11, 7)),
        """{date:7/11/23} 0910 WR Dr {clinician:Kapur} (cons), {clinician:Nuala} (SpR), SN {clinician:Blessing}
{patient:Ivy F-haugh}, {age90:94}F, bed by window. Hosp {mrn:6610482}
D4 #L NOF, DHS {date:4/11} (Mr {clinician:Rusk}). PMH: PD on Sinemet 125 tds + Madopar, AF, prev Colles #, vasc \
dementia AMTS 5/10.
O/N agitated, 4AT 6. Pulled cannula. BO x1 type 6.
Obs: T 37.9 HR 98 irreg BP 108/60 RR 20 sats 93% 1L. NEWS 5.
O/E: chest creps R base, calves SNT, wound dry, moving 4 limbs, tone up L>R cogwheel.
Bld: Hb 84 (112), WCC 15.1, CRP 160, Na 129, K 3.4, eGFR 41.
Imp: 1 HAP 2 delirium 3 anaemia 4 missed PD meds x3!!
Plan
- CXR, Tazocin 4.5 tds (no pen allergy, checked w GP {practice:Fenwick St})
- 1 unit RBC
- PD nurse {clinician:Sal Everett} bleep {phone:2209}; rotigotine 4 mg/24h if NBM
- D/w dtr {relative:Rosalind} on {phone:07700 900614}: knows poorly, ceiling ward based. LPA held by her + bro \
{relative:Giles}
- DoLS, RESPECT form signed {date:6/11}
- ref to {facility:Larches} intermediate care when MFFD
{clinician:H Obafemi} F1""",
    ),
    (
        "ward round entry, Australia",
        Patient("Nguyen^Thi Kim Lien", date(1970, 10, 25), ("3304118",), date(2019, 7, 18)),
        """{date:18/07/2019} 08:05 Gen Surg WR - Mr {clinician:Harkness} / Dr {clinician:Iyer} / intern \
{clinician:Beau}
{patient:NGUYEN, Kim Lien}  UR {mrn:3304118}  {ward:Melaleuca} Ward
48F D2 post lap appendicectomy for perforated appendix ({date:16/7}). Alvarado 9 on arrival.
Vietnamese interpreter by phone, job TIS {id:557201}.
S: pain 4/10 with cough, passing flatus, tolerating FF.
O: afebrile 37.2, HR 84, BP 122/76, UO 50 mL/hr, Blake drain 30 mL haemoserous. Abdo soft, Murphy's neg, Rovsing's \
neg. Port sites clean.
WCC 17.4 -> 11.8, CRP 210 -> 96. Histo pending, lab no {id:19-S-40772}.
Drain chart: 220, 90, 30 mL. IV: Hartmann's 83 mL/hr ceased 06:00. Obs in range, ADDS 1. McBurney tenderness only, \
Dunphy -ve. Wells PE 0. Creat 61, K 3.8, Mg 0.82, ALT 22. VTE: Clexane 40 nocte, TEDS, Flowtrons off. Apfel 3, on \
ondansetron 4 wafer. Bristol 0. Waterlow 8. Clavien-Dindo nil.
Plan: remove drain, IV Augmentin to oral Augmentin Duo Forte 875/125 bd for 5/7, Endone stop, Targin 5/2.5 nil.
Home {date:19/7} if eats lunch. Husband {relative:Van Duc} picks up after shift at {employer:Sunvale Poultry}, mobile \
{phone:0491 575 254}.
Med cert until {date:28 July}. OPD {date:1/8} at 14:15. Letter to Dr {clinician:Huynh Quoc Bao}, {practice:Footscray \
Lane Clinic}, {street:41A Lane Street}.
Signed {clinician:B. Cavanagh}, page {phone:6620}""",
    ),
    (
        "psychiatry progress note, Ireland",
        Patient("Mulcahy^Fintan", date(1997, 6, 8), ("0093318",), date(2022, 3, 4)),
        """{date:4/3/22}, 11.40. Dr {clinician:Judith Nagle}, registrar to Dr {clinician:Cormac Heffernan}. Seen in \
{ward:Hazel} Unit with CNM2 {clinician:Bernie}.

{patient:Fintan}, 24, involuntary (Form 6 signed {date:24/2/22}), day 9. First episode psychosis. Chart {mrn:0093318}.

Less preoccupied with the Garda car he believes followed him from {place:Mallow} (reg {plate:171-C-40882}, written on \
his hand). States voices are "down to a 3 out of 10". Slept 6/7 hours. Eating. No thoughts of self harm. Insight \
partial: "maybe it was the weed."

MSE: unkempt, good rapport, speech normal in rate, no Schneiderian first-rank symptoms today, affect blunted, \
oriented x 3. PANSS P 19. BPRS 44.

Physical: BP 122/76, HR 84, T 36.6, BMI 22.8, Simpson-Angus 2, Barnes akathisia 1, AIMS 0. Romberg negative, \
Kayser-Fleischer rings absent. CT brain normal; EEG normal, alpha 9 Hz. Urine tox THC+, amphetamine neg. MoCA 26/30. \
Luria sequence fair. HoNOS 19, GAF 35, CGI-S 5, Beck deferred. Cotard and Capgras phenomena absent. Bush-Francis 0. \
STAMP assessed low. Level 2 obs every 15 min to level 1.

Bloods: prolactin 412, lipids N, CK 188, ECG QTc 418. Wt 74.2 kg.

Collateral from mother, {relative:Assumpta}, by phone ({phone:022 555 0119}): he left his course at {school:Munster \
Technical College} in {month:November}, owes money to "a fella called {other:Lacey}", and posted odd videos as \
{handle:@fint_mul97}. Sister {relative:Niamh} got married on {holiday:St Stephen's Day}. Grandfather had ECT at \
{facility:Our Lady's, Lee Road}, in 1974.

Plan: olanzapine 15 mg nocte (from 10), PRN lorazepam 1 mg max 4 mg/24 h. Tribunal {date:Tuesday 15 March}, \
solicitor {other:Sheila Cuddihy} notified. MDT {date:7/3}. EIP key worker {clinician:Dara O'Keeffe}.""",
    ),
    (
        "progress note, Canada",
        Patient("Sandhu^Harbhajan", date(1958, 1, 1), ("9877041226",), date(2023, 2, 15)),
        """GIM Daily Progress Note    {date:2023/02/15} 10:22
{patient:SANDHU, Harbhajan}    PHN {mrn:9877041226}    {birth:1958-Jan-01}    {ward:Arbutus} Ward

ID: 65M, Punjabi speaking, farm owner near {place:Chilliwack}; wife {relative:Paramjit} at bedside, son \
{relative:Inderpal} is a pharmacist at {employer:Fraserglen Drugs}.
Reason: decompensated cirrhosis (EtOH/MASH), Child-Pugh C11, MELD-Na 24.

S: clearer, day 2 no asterixis, 4 BMs.
O: 36.8, 96/58, 88, 18, 96% RA. Icteric, spider nevi, shifting dullness, no caput. JVP flat.
Labs: Na 128, Cr 141 (168), Bili 96, INR 1.9, Plt 62, Alb 24. AFP 5.
Tap {date:Feb 13}: 5.2 L, PMN 310, culture neg. EGD {date:Feb 14} (Dr. {clinician:Yip}): grade 2 varices, banded x4, \
LA grade B.

Exam: West Haven 1, fetor, Terry's nails, Dupuytren's bilateral, no Muehrcke lines. Weight 74.1 kg (dry 70). CXR: \
small right effusion. US with Doppler: portal vein patent, hepatopetal 11 cm/s, LI-RADS 2 lesion 8 mm, spleen 15.2 \
cm, no Budd-Chiari. Maddrey 44, Lille at day 7 pending. Fe sat 61%, HFE C282Y neg, ceruloplasmin 0.28, A1AT PiMM, ANA \
1:80, AMA neg. Blatchford 9, FIB-4 6.1. CIWA 2. Braden 17. UNa 14, FENa 0.2%.

A/P:
#SBP - CTX 2 g d3/5, albumin 1.5 g/kg d1, 1 g/kg d3 given.
#AKI - HRS less likely; hold Aldactone, Lasix.
#HE - lactulose 30 mL tid, Xifaxan 550 bid (special authority faxed {date:Feb 14}, {phone:1-604-555-0136}).
#Transplant - spoke to {clinician:Lorraine Whitecloud}, RN, at {facility:Vancouver Coastal Transplant Clinic}. Needs \
6 mo sobriety letter from counsellor {other:Baljinder Gill}.
#GOC - MOST C2.
#Dispo - {place:Chilliwack} home health, not before {holiday:Family Day} Monday.
{clinician:Shreya Vasudevan}, R2. Discussed with Dr. {clinician:Neufeld}.""",
    ),
    (
        "progress note, India",
        Patient("Mukhopadhyay^Subrata", date(1949, 3, 12), ("2301107",), date(2023, 1, 21)),
        """{date:21/01/23}  8 AM   CCU Bed 3   Round by Dr. {clinician:P. K. Sanyal}
Mr. {patient:Subrata Mukhopadhyay}  73/M  Regn no {mrn:2301107}   DOA {date:19/01/23}

73 yr old male, retired from {employer:Hooghly Jute Mills}, resident of {place:Serampore}, k/c/o COPD, CAD s/p PTCA \
to LAD (Xience 2.75 x 28) at {facility:Maa Kali Heart Institute}, {place:Howrah} in 2015, p/w AHF with AF FVR.
O/E: alert, HR 112/min irreg, BP 136/84, RR 22, SpO2 94% on 4 L O2, JVP raised, B/L basal creps +, S3 +, pedal oedema \
++
I/O: 1100/2350. CBG 186-212-164.
ECG: AF, old QS V1-V3. 2D echo by Dr. {clinician:Ghoshal}: LVEF 35%, RWMA LAD territory, MR 2+, RVSP 48.
Na/K 131/4.1, urea 62, creat 1.6, TSH 2.8, NT-proBNP 8,840, Trop I 0.09.
Rx: Inj Lasix 40 mg IV BD, Inj Cordarone 150 mg in 100 ml 5% D then 1 mg/min, Inj Clexane 0.6 S/C BD, Tab Ecosprin AV \
75/20 HS, Tab Dytor Plus 10/50 OD, Neb Duolin 6 hrly.
ABG: pH 7.36, pCO2 48, pO2 72, HCO3 27 on 4 L. HAS-BLED 3, CHA2DS2VASc 5. CXR PA: CTR 0.6, Kerley B lines, bat wing, \
both CP angle blunt. Killip II. HbA1c 7.4, LDL 88, Vit B12 212. Urine R/M: pus cell 2-4/HPF, albumin trace. USG W/A: \
prostate 38 cc, B/L MRD grade I. Spirometry after discharge. Braden 16. Diet: salt 2 g, fluid 1.2 L, soft. Ewart sign \
nil. Duckett Jones criteria NA, ASO neg. Mantoux 4 mm.
Adv: CAG to be discussed after {holiday:Saraswati Puja}; pt party counselled: elder son {relative:Arindam} \
({place:Bangalore}) over ph {phone:+91 90070 00558}, younger son {relative:Anirban} signed high-risk consent at 8.40 \
AM. Swasthya Sathi card no {insurance:WB0144 2098 7713} given to TPA desk.
Transfer out to {ward:Tagore} ward if stable {date:22/1}.
RMO Dr. {clinician:Debolina}, Sister {clinician:Mary Kutty} informed.""",
    ),
    (
        "progress note, South Africa, lower case",
        Patient("Booysen^Clint Ashwin", date(1984, 8, 5), ("kbh88120",), date(2018, 11, 26)),
        """{date:26 nov 2018} 07h30 surgical round, prof {clinician:de klerk}
{patient:clint booysen}, 34m, folder {mrn:kbh88120}, from {place:hanover park}
day 5 post laparotomy for gsw abdomen. injury {date:21/11} at taxi rank, saps CAS {id:447/11/2018}, {place:philippi} \
station.
op: 2x small bowel resections, side to side, left colon repaired, 18 fr drain pelvis, abthera off {date:23/11}.
s: wants to eat. pain 5/10. passed wind x2.
o: t 37.4 p 96 bp 128/78 u/o 0.7 ml/kg. abdo soft, wound slightly red at lower third, drain 80 ml serous. left foot \
drop, mrc 2/5, l5 dermatome decreased.
bloods: hb 9.1 wcc 13.2 plt 488 urea 5 creat 71 crp 144. bc 0/2 at 48 h.
ass: ileus resolving, ?early ssi, l5 root/peroneal.
ct (day 3): no collection, small pelvic fluid, bullet at l5 pedicle, brooke no. lodox clear. feeds: tpn off day 2, \
now ensure 200 ml tds. penrose out. wells dvt 1, clexane 40. k 3.9 mg 0.74 phos 0.9 alb 24 pct 0.8. surgical apgar 6, \
iss 18, niss 25. boey n/a. bristol 0. cxr clear, fogarty 4f used intra-op on left iliac v. spencer wells forceps \
count ok.
plan: clear fluids then build up. open 3 clips. augmentin day 5 of 5 stop. refer ortho, dr {clinician:pillay}, re: \
foot drop. physio {clinician:zaahida}.
social: gran {relative:ouma sarie} collects the kids from {school:morning star primary}. girlfriend \
{relative:chantelle} phoned from {phone:061 555 0142}, may visit after 15h00. mother-in-law at {street:22 klip \
close}. unemployed, was casual at {employer:shoprite hyper}.
discharge maybe {date:thurs 29/11}.
{clinician:t. mokoena}, intern, speed dial {phone:7718}""",
    ),
    (
        "radiology report, US CT chest",
        Patient("Lindgren-Thorne^Marcia", date(1963, 5, 14), ("E2204417",), date(2023, 9, 11)),
        """EXAM: CT CHEST WITH CONTRAST
PATIENT: {patient:LINDGREN-THORNE, MARCIA A}
MRN: {mrn:E2204417}   DOB: {birth:5/14/1963}   ACC: {id:CT23-0918841}
EXAM DATE: {date:9/11/2023} 10:37 AM
ORDERING: {clinician:TREVOR HALVORSON}, PA-C   LOCATION: {facility:Cedar Bluffs Imaging - Westgate}

HISTORY: 60-year-old, former smoker 30 pack-years, lung nodule. History of Hodgkin lymphoma in 1991, mantle radiation.

COMPARISON: CT {date:3/6/2023}; PET/CT {date:09/30/2022} from {facility:Prairie Lakes Cancer Institute}.

TECHNIQUE: 1.25 mm helical images after 75 mL Omnipaque 350. DLP 214 mGy-cm. Lung-RADS applied.

FINDINGS: Right upper lobe solid nodule 9 x 7 mm (series 4, image 112), previously 6 x 6 mm. Stable 3 mm nodule in \
the lingula (4/187). Paramediastinal fibrosis. No adenopathy; station 4R node 8 mm. Coronary calcium moderate. \
Bochdalek hernia, unchanged. Chance-type deformity of T12, old. Adrenals normal. Port-A-Cath tip at the cavoatrial \
junction. Riedel lobe of the liver.

Trachea and central airways patent; no Mounier-Kuhn morphology. Mild paraseptal emphysema, Fleischner type 2. Heart \
not enlarged, RV:LV 0.8. Ascending aorta 38 mm at the level of the right pulmonary artery, Stanford classification \
not applicable. Esophagus mildly patulous, hiatal hernia 3 cm. Thyroid: 8 mm left nodule, TI-RADS 3. Upper abdomen: \
14 mm hepatic cyst (series 2, image 88), Bosniak I cyst right kidney 22 mm, 12 HU. Bones: Schmorl's nodes T8-T10, \
DISH, Hill-Sachs deformity left. Radiation dose: CTDIvol 6.1 mGy.

IMPRESSION:
1. Growing RUL nodule, Lung-RADS 4B. Brock probability 21%. Recommend tissue sampling.
2. No change elsewhere.

Findings discussed by Dr. {clinician:Okwuosa} with {clinician:Trevor Halvorson} by telephone at 11:52 AM on \
{date:9/11/2023}; he will tell Ms. {patient:Lindgren-Thorne} today. Nodule coordinator: {clinician:Jessie}, \
{phone:402-555-0121}, {email:lungnodules@cedarbluffsimaging.example.com}.

Read by: {clinician:Chidi Okwuosa}, MD    Final {date:9/11/2023} 12:04    NPI {registration:1922018847}""",
    ),
    (
        "radiology report, UK MRI spine",
        Patient("Rookwood^Damian", date(1980, 2, 28), ("RXK0088142",), date(2021, 5, 19)),
        """{facility:North Mercia University Hospitals NHS Trust}
MRI lumbar spine    Exam {id:RXK-MR-2291840}    Performed {date:19/05/2021}    Reported {date:21/05/2021}
{patient:Damian ROOKWOOD}, {birth:28/02/1980}, CRIS {mrn:RXK0088142}
Referrer: Ms {clinician:P Ellwood}, first contact physio, {practice:Severnside Health Centre}

Clinical details: 41M, scaffolder with {employer:Kestrel Access Ltd}, R sciatica 4/12, SLR 40, R EHL 4/5, absent \
ankle jerk, no red flags. Fell from lorry on {date:9 Jan}. ?L5/S1 disc.

Findings: Comparison is made with radiographs of {date:30/01/2021} from {facility:Ludbury Cottage Hospital}. Conus at \
L1/2. Normal marrow signal; haemangioma in T11; Schmorl's nodes at L1–3. L3/4: normal. L4/5: Pfirrmann grade 3, \
annular fissure, shallow bulge, no nerve contact. L5/S1: right paracentral extrusion, 11 x 8 mm, with caudal \
migration behind S1, displacing the right S1 root. Modic type 2 endplates. Canal 14 mm. Tarlov cyst at S2.

Sequences: sagittal T1, T2, STIR; axial T2 from L3 to S1. Facet joints: Weishaupt grade 1 at L4/5, grade 2 at L5/S1. \
Castellvi type 1b transitional vertebra. Cobb angle 6 degrees, lordosis kept, no Meyerding slip. Multifidus: \
Goutallier 1. No Romanus lesions or Andersson lesion, sacroiliac joints normal. Batson's plexus prominent. Kidneys: \
2.1 cm cyst left, Bosniak 1. Retroverted uterus n/a. Aorta 18 mm.

Conclusion: large right L5/S1 extrusion which fits the symptoms. Suggest spinal MDT. No cauda equina compression.

Reported by Dr {clinician:Aurelio Batista}, consultant radiologist, GMC {registration:6044817}. Verified 16:20. \
Copy: {email:spinal.triage@northmercia.example.nhs.uk}; mobile number for texts {phone:+44 7700 900 328}.""",
    ),
    (
        "radiology report, Australia ultrasound",
        Patient("Walmsley^Courtney Jade", date(1995, 12, 19), ("7004419",), date(2022, 8, 30)),
        """{practice:Coral Bight Radiology}    {street:Shop 2, 77 Esplanade}, {town:Hervey Sands} QLD {postcode:4655} \
   Ph {phone:(07) 5550 3317}
{date:30 August 2022}

Dr {clinician:Nirmala Perera}
{practice:Palmview Medical Practice}

RE: Miss {patient:Courtney Jade WALMSLEY}    DOB: {birth:19/12/1995}    Our ref: {id:CBR-7004419}

Dear {clinician:Nirmala},

ULTRASOUND UPPER ABDOMEN

Clinical notes: RUQ pain post partum (baby {relative:Oakley} born {date:2 July}), LFTs deranged, Gilbert's?

The gallbladder contains several mobile calculi up to 14 mm, wall 2.1 mm, no Murphy's sign. The CBD measures 4 mm. \
Liver 15.4 cm, mildly echogenic; an 18 mm haemangioma in segment 7, seen before on the scan by {practice:Bayside \
Imaging} of {date:05/03/20}. Portal vein hepatopetal. Pancreas seen in part. Kidneys R 10.8, L 11.2 cm; a 6 mm \
angiomyolipoma. Spleen 10 cm. Aorta 17 mm.

Technique: curvilinear 1-5 MHz. Hepatic veins triphasic. Hepatic artery RI 0.68. Riedel's lobe noted. No \
Rokitansky-Aschoff sinuses, adenomyomatosis or polyp. Hartmann's pouch contains a non-mobile 9 mm stone. Common \
hepatic duct 3.1 mm. No ascites in Morison's pouch. Bertin column on the left. Shear wave 4.8 kPa, F0–F1. No \
hydronephrosis; Doppler jets seen. Spleen vol 160 mL.

IMPRESSION: Cholelithiasis without cholecystitis. Fatty liver grade 1.

Thank you for the referral of this patient. {patient:Courtney} was told to ring you by {date:Friday 2/9}.

Kind regards,
Dr {clinician:Hamish McAlister-Fong} FRANZCR    Sonographer: {clinician:Tash}
Images: {url:https://view.coralbight.example.com.au/s/7004419}, PIN {id:881402}""",
    ),
    (
        "radiology report, Ireland chest film",
        Patient("Geoghegan^Malachy", date(1932, 10, 12), ("4471820",), date(2024, 1, 5)),
        """{facility:Midland Regional, Cloonfad}    Radiology
{patient:Geoghegan, Malachy}    {birth:12/10/1932}    {mrn:4471820}    Adm via AMAU
CXR PA {date:05/01/2024} 13.20    NIMIS acc {id:40-88271940}
Referrer: Dr {clinician:Uchenna Nwosu}, cons Dr {clinician:Brophy}

Indication: {age90:91} yo, farmer's lung, ?consolidation. Known to Dr {clinician:Marie-Louise Hand} in \
{facility:Corrib Clinic Respiratory}. Fall on {holiday:Little Christmas} last year with rib fractures.

Report: Comparison {date:17.12.2023} and {month:Feb 2022}. Dual-chamber pacemaker, leads in the RA and RV. Heart size \
at the upper limit, CTR 0.52. Upper zone reticular change is unchanged. New air space opacity in the right lower zone \
with a small effusion. Old healed fractures of right ribs 6–9. Hiatus hernia. No pneumothorax. Aortic knuckle \
calcified, Chilaiditi sign.

Technique: PA erect, 1.8 m, good inspiration, 6 anterior ribs. No cavity. Trachea central. Azygos lobe. Kerley lines \
absent; no Hampton hump, no Westermark sign. Swan-Ganz none. Degenerative change in the thoracic spine with wedge of \
T9 (Genant grade 1). Calcified granuloma, 4 mm, left apex, likely old Ghon. Surgical clips at the left axilla from \
2009. CURB-65 3 on the request. Old Bankart repair with two anchors in the right shoulder.

Conclusion: right lower lobe pneumonia. Repeat film in 6 weeks.

Dr {clinician:Eimear Tighe}, SpR radiology    Consultant: {clinician:F. Mannion}    MCN {registration:220148}
Addendum {date:06/01}: discussed with {clinician:Nwosu} at 09.15, and phoned to {facility:Sacred Heart Nursing \
Home, Ballyduff}, {phone:090 555 0134}, where the niece, {relative:Attracta}, works.""",
    ),
    (
        "radiology report, Canada CT head",
        Patient("Tootoosis^Wesley", date(1966, 9, 17), ("102-447-183",), date(2020, 2, 7)),
        """CT HEAD WITHOUT CONTRAST
Patient: {patient:Tootoosis, Wesley}   HSN: {mrn:102 447 183}   DOB: {birth:17-Sep-1966}   Study date: \
{date:07-Feb-2020}   Acc: {id:SK20117348}
Location: {facility:Battle River Union Hospital} ED    Ordered by: {clinician:Birgitta Thorvaldson}, MD

CLINICAL: 53M, fall off quad near {place:Poundmaker}, GCS 13, on Eliquis for DVT. Canadian CT Head Rule positive.

TECHNIQUE: 5 mm axial and 1 mm bone, CTDIvol 48.

FINDINGS: Acute right convexity subdural, 8 mm, with 4 mm of leftward shift. Small left frontal contusion, 12 x 9 mm. \
Basal cisterns open. No uncal herniation. Sylvian fissures asymmetric. Old lacune in the left putamen. Le Fort \
pattern is absent; nondisplaced fracture of the right temporal squama. Circle of Willis calcified. Fazekas 1.

Ventricles: Evans index 0.29. Sulci effaced on the right. No Duret haemorrhage. Grey-white differentiation kept, \
ASPECTS n/a. Dandy-Walker variant is not present; mega cisterna magna 12 mm. Sinuses: mucous retention cyst, right \
maxillary, 14 mm; Haller cell. Mastoids: partial opacity on the right, cochlear electrode seen with streak. Rotterdam \
score 3, Helsinki 2. CTA neck with Denver criteria: carotids not dissected, Biffl 0. C-spine: C5-6 disc narrowing, \
Jefferson fracture absent, Powers ratio 0.8.

IMPRESSION: Acute right SDH 8 mm with 4 mm shift, Marshall class II. Left frontal contusion.

Critical result called to Dr. {clinician:Thorvaldson} at 0214 h {date:08-Feb-2020} by {clinician:P. Szymański}; \
accepted by neurosurgery at {facility:Royal Pelly Hospital}, {place:Saskatoon} (Dr. {clinician:Fairweather}), STARS \
flight {id:4-0091}. Wife {relative:Doreen} driving in from {place:Cut Knife}, cell {phone:306-555-0149}. Device: VP \
shunt none; cochlear implant left, serial {serial:CI532-0447118}.

Transcribed: {initials:ad}    {date:2020-02-08} 02:31""",
    ),
    (
        "radiology report, India MRI",
        Patient("Fernandes^Savio", date(1988, 4, 23), ("MR/2021/4471",), date(2021, 8, 11)),
        """{facility:Zuari Scans & Diagnostics}, {street:1st Floor, Souza Towers, Opp. Municipal Garden}, \
{town:Panjim}, Goa
Patient Name: Mr. {patient:SAVIO FERNANDES}    Age: 33 Yrs    Sex: M
Patient ID: {mrn:MR/2021/4471}    Date: {date:11-08-2021}    Ref. By: Dr. {clinician:Naik Gaonkar}

MRI RIGHT KNEE (PLAIN), 1.5 TESLA

History: Football injury on {date:1st Aug} while playing for {org:Churchill Brothers juniors}. Lachman +ve, McMurray \
+ve.

Observations: Complete mid-substance tear of ACL with edematous fibres. Kissing contusions in lateral femoral condyle \
and posterolateral tibial plateau. Segond fracture not seen. PCL buckled, intact. Bucket-handle tear of the medial \
meniscus with double PCL sign. Lateral meniscus grade 2 signal in the posterior horn (Stoller). MCL grade I sprain. \
Baker's cyst 22 x 11 mm. Moderate effusion. Hoffa's fat pad normal. Outerbridge grade II chondromalacia patella. \
TT-TG 14 mm.

Patella: Wiberg type II, Insall-Salvati 1.1, trochlea Dejour A, MPFL intact. Quadriceps and patellar tendon normal, \
no Osgood-Schlatter change. Popliteus normal. Ligaments of Humphry and Wrisberg seen. Fibular head normal, Gerdy's \
tubercle edema. Blumensaat line angle 38 degrees. Physis closed. Popliteal artery 6 mm. Sequences: PD FS in 3 planes, \
T1 sag, T2 cor, slice 3.5 mm, 512 x 512, FOV 160.

Impression: ACL tear, bucket-handle medial meniscus, MCL grade I sprain.
Please correlate clinically. Kindly bring old films of {facility:Hospicio Margao} at review.

Dr. {clinician:Lorna D'Cunha}, MD, DNB (Radiodiagnosis), Reg {registration:2288}
Report typed by {clinician:Sushma} {date:11/8/21} 6.45 PM. Collected by brother {relative:Alwyn}, mobile \
{phone:98220 00741}. For queries {phone:0832-555-0160} / {email:zuariscans@rediffmail.example.in}""",
    ),
    (
        "radiology report, South Africa",
        Patient("Jansen van Vuuren^Petronella", date(1971, 11, 11), ("400187",), date(2019, 10, 3)),
        """Drs {practice:Engelbrecht, Moodley & Partners Inc.}    Pr No {registration:0384410}
{facility:Mediclinic Bosveld}, {street:cnr Hospital & Beyers Streets}, {town:Thabazimbi} {postcode:0380}

{date:3 October 2019}

Pasiënt / Patient: MRS {patient:P JANSEN VAN VUUREN}    Born {birth:1971-11-11}    X-ray no {mrn:400187}
Med aid: GEMS, no {insurance:0004417822} dep 01    Ref: Dr {clinician:Kobus Lourens}

MAMMOGRAM AND ULTRASOUND, BOTH BREASTS

Indication: palpable lump left 2 o'clock, mother had carcinoma at 49. BRCA not done. Previous {place:Pretoria} films \
of {month:June 2016} not available.

ACR density c. In the left upper outer quadrant a spiculated mass of 17 mm, 6 cm from the nipple, with pleomorphic \
calcifications. Ultrasound: hypoechoic, taller than wide, 16 x 13 x 15 mm. Two axillary nodes with cortex of 5 mm. \
Right: scattered Cooper's ligament calcification, benign, BI-RADS 2.

Views: CC and MLO with tomosynthesis, 0.9 mGy. Heterogeneously dense, thickened skin 2.1 mm, nipple retraction left, \
Paget's not evident. Left: second focus 6 mm at 3 o'clock, 4 cm FN, BI-RADS 4A. Elastography 4 (Tsukuba), 142 kPa. \
Doppler RI 0.82. Axilla level I, Rotter's nodes not seen. Stavros features present. Tabar pattern IV. Right: \
fibroadenoma 9 mm stable, Mondor cord none, BI-RADS 2.

Comment: BI-RADS 5 left. Core biopsy, 14G, done with consent the same day; specimens to {org:Waterberg Pathology}. Dr \
{clinician:Lourens} was phoned at 11h40, and Mrs {patient:van Vuuren}'s husband {relative:Hennie} ({phone:082 555 \
0164}) will bring her to the breast clinic on {date:Wed 9 Oct}.

DR {clinician:S. MOODLEY}, radiologist""",
    ),
    (
        "referral letter, UK GP to rheumatology",
        Patient("Olatunji^Folasade", date(1986, 7, 7), ("448-201-7736",), date(2022, 5, 30)),
        """{practice:Mill Brow Surgery}, {street:Mill Brow}, {town:Ashby Fold}, {postcode:BL6 9ZY}    Tel \
{phone:01632 960 288}
Partners: Dr {clinician:G Hesketh}, Dr {clinician:R Nandakumar}, Dr {clinician:C Bright}
{date:30 May 2022}

Rheumatology, {facility:Royal Irwell Infirmary}

Dear Colleague

Re: Mrs {patient:Folasade OLATUNJI}, {birth:07/07/1986}, {street:22a Spinners Row}, {town:Ashby Fold}, NHS no \
{nhs:448 201 7736}, mobile {phone:07700 900142}

I'd be grateful if you would see this 35 year old primary school cook with 4 months of symmetrical small-joint pain, \
EMS 90 min, swelling of MCP 2–3 both sides, and a positive squeeze test. No psoriasis, no Raynaud's. Schirmer's not \
done. She had Sjögren's raised by a locum, Dr {clinician:Peel}, in 2019. Bloods {date:23/05}: CRP 31, ESR 48, RF 64, \
anti-CCP >340, ANA 1:160 speckled, Hb 108, ferritin 12, TSH normal. X-rays at {facility:Ashby Fold Clinic} last \
{month:April}: nil erosive. Her sister {relative:Yetunde} has SLE.

On examination: tender joint count 14/28, swollen 9/28, DAS28 5.6. No Heberden's or Bouchard's nodes, no Gottron's \
papules, Finkelstein's positive on the right, Phalen's and Tinel's negative. Schober 15 to 21 cm. Chest clear, no \
Caplan's change on film. Urine: trace protein, no blood. HbA1c 36, eGFR >90, ALT 22, Vit D 28, C3 1.1, dsDNA \
negative, HBV, HCV, HIV negative. FRAX not done. PHQ-9 11. QRISK 2.1%.

Drugs: naproxen 500 mg bd, lansoprazole 15 mg, Fostair 100/6, Cerelle 75 mcg. No allergies. Smoker 5/day. Alcohol 0 \
units. BMI 31. P2+0; youngest, {relative:Tobi}, is 2, and she would like another, so methotrexate needs thought.

{holiday:Jubilee} bank holiday aside she can come any day after 14:00, when the children of {school:St Alban's \
Primary} have eaten.

Yours sincerely
{clinician:Caitlin Bright}
Dr {clinician:C M Bright} MRCGP
UBRN {id:0004 4182 7719}""",
    ),
    (
        "referral letter, Australia GP to cardiology",
        Patient("Ferraro^Domenic", date(1953, 3, 3), ("2201",), date(2023, 4, 12)),
        """{practice:Swan Flats Family Practice}
{street:9 Jarrah Court}, {town:Swan Flats} WA {postcode:6056}    T {phone:08 5550 7721}    F {phone:08 5550 7722}
Provider no. {registration:441782BX}

{date:12/04/2023}

Dear {clinician:Rohan},

Thank you for seeing Mr {patient:Dom Ferraro} (dob {birth:3.3.53}), of {street:Lot 12 Great Northern Hwy}, a 70 yo \
vigneron at {employer:Ferraro & Figli Wines}, with exertional dyspnoea, NYHA II, and an ejection systolic murmur, \
3/6, radiating to the carotids.

ECG: SR 68, LBBB (old, 2017). TTE by {org:HeartCare West} on {date:28/03}: AVA 0.9 cm2, mean gradient 38 mmHg, Vmax \
3.9 m/s, LVEF 55%. Euroscore II 1.8%. No syncope, no angina, Levine negative.

PHx: Paget's of L femur, Meniere's, BPH (TURP {month:Aug 2020}, Mr {clinician:Van Der Heyden}), hyperlipidaemia. \
Meds: Crestor 10, Micardis Plus 40/12.5, Duodart, Stemetil prn. NKDA. Ex-smoker. Lives with wife {relative:Concetta}; \
DVA gold card {insurance:WX 441 802}. Their son {relative:Marco}, a paramedic, worries most.

O/E: BP 132/84 sitting, HR 68 reg, slow-rising pulse, S2 soft, JVP 2 cm, chest clear, no oedema. Corrigan's and \
Quincke's absent, Gallavardin heard. Spirometry FEV1/FVC 0.74. CXR CTR 0.48, calcified annulus. Bloods: Hb 138, eGFR \
71, K 4.4, NT-proBNP 488, LDL 1.9, HbA1c 6.0%, PSA 2.1, CRP 3. Calcium score 412 Agatston in 2019. Heyde's considered \
but FOBT negative x2. CHA2DS2-VASc 2. Duke treadmill not tried. Dental review done, OPG clear.

His trip to {place:Cosenza} is booked for {date:20 June}, and he'd like to know before {holiday:Anzac Day} whether to \
cancel.

He has private cover. Please ring him on {phone:0491 570 313}.

Warm regards,
{clinician:Sue}
Dr {clinician:Susan Blackwood-Pike} MBBS FRACGP""",
    ),
    (
        "referral letter, Ireland GP to gastroenterology",
        Patient("Brosnan^Carmel", date(1960, 12, 24), ("GP-2280",), date(2019, 11, 14)),
        """Dr {clinician:Tadhg Looney} & Dr {clinician:Ann Marie Teahan}
{practice:Inny Valley Primary Care Centre}, {town:Waterville}, {place:Co. Kerry}
{date:14/11/2019}

To: Mr {clinician:Barry Costigan}, {facility:Bon Secours Tralee}

Re: {patient:Carmel Brosnan} née {patient:Moriarty}, {street:Cloghane More}, {place:Cahersiveen}. D.O.B. \
{birth:24/12/1960}. Medical card {insurance:K441872A}. Ph {phone:066 555 0107}

Dear {clinician:Barry},

Many thanks for seeing {patient:Carmel} for a direct access colonoscopy. Two months of looser motions x4/day, 5 kg \
down, Hb 9.6, MCV 71, ferritin 6, tTG negative, FIT 188. PR: no mass. Weight 58 kg. Known diverticulosis on a barium \
enema in 2003. Father {relative:Batt Moriarty} had a Dukes C tumour at 61, an aunt endometrial ca: Lynch? Amsterdam \
criteria not met as far as I can see.

O/E: pale, koilonychia, no Virchow node, no Sister Joseph nodule, abdomen soft with fullness in RIF, liver edge 1 cm. \
BP 118/70, P 88 reg, BMI 21.4. Bloods: WCC 7.2, plt 512, CRP 14, U&E normal, ALP 88, albumin 36, CEA 6.1, B12 288, Ca \
2.31. ECG: SR, Mobitz absent. Plummer-Vinson unlikely, swallow fine. Bristol 5 to 6. NICE NG12 criteria met. Rockwood \
2, ASA 2. Killian dehiscence repaired no.

On Eltroxin 75, Galfer, Losec 20, and Xarelto 20 since a PE post-op in {month:May 2018} (Wells 7.5 at that time). I \
told her to stop Xarelto 48 h before the prep, Moviprep x 2.

She lost her husband {relative:Christy} at sea in {month:October} and her daughter {relative:Deirdre} is flying back \
from {place:Calgary}, so phone {relative:Deirdre} at {phone:087 555 0190} with the appointment. The bridge club at \
{org:Skellig Golf Club} is where she'll be of a Thursday.

Le gach dea-ghuí,
{clinician:Tadhg}    MCRN {registration:18820}""",
    ),
    (
        "referral letter, US to neurology",
        Patient("Okonkwo-Reyes^Julian", date(1999, 2, 18), ("3311907",), date(2021, 6, 22)),
        """{practice:Sandstone Internal Medicine, P.C.}
{street:8150 E. Camelthorn Dr., Suite 210}, {town:Palo Seco}, AZ {postcode:85204}
Phone {phone:480-555-0170}   Fax {phone:480-555-0171}   NPI {registration:1770019482}

{date:June 22, 2021}

{clinician:Leonora Whitfield}, MD
{facility:Sonoran Neurological Associates}

RE: {patient:Julian Okonkwo-Reyes}   DOB {birth:2/18/1999}   Chart {mrn:3311907}
Insurance: AHCCCS, member {insurance:A44178209}   Auth # {id:REF-9920417}

Dear Dr. {clinician:Whitfield}:

Please evaluate this 22-year-old right-handed student at {school:Maricopa State} for two spells of loss of awareness, \
on {date:May 2} and {date:June 13}, each witnessed by his roommate {other:Tyrell}, with 90 seconds of stiffening, \
Todd paresis of the left arm, and tongue biting. No fever. He had been awake all night gaming on Twitch \
({handle:jok3r_reyes}). ED visit at {facility:Banner Wells}: glucose 92, Na 139, lactate 6.2, CT negative, UDS \
positive for THC. Spurling negative, Romberg negative, Babinski down bilaterally, Hoffmann absent, reflexes 2+.

Exam: BP 118/72, HR 66, BMI 23. MMSE 30/30, CN II-XII intact, no Horner, Hallpike negative, finger-nose intact, gait \
and tandem normal. No café-au-lait, ash-leaf or Shagreen patch; Wood lamp negative. EKG: NSR 64, QTc 408, no Brugada \
pattern. EEG requested: routine plus sleep-deprived, 10-20 montage. MRI with epilepsy protocol (3T, HARNESS). ILAE \
2017: focal to bilateral. STESS 0. Epworth 9/24. Labs: WBC 8.1, CK 388, prolactin 22, B6 normal, RPR NR. Rasmussen \
and Dravet thought unlikely.

Febrile seizure at age 2 per mother, {relative:Ifeoma}; paternal uncle with Lennox-Gastaut. Keppra 500 mg BID was \
begun {date:6/14}. He knows not to drive; plate and MVD form were sent, license {license:D04417823}.

Sincerely,
{clinician:Patrick T. Dunleavy}, MD""",
    ),
    (
        "referral letter, South Africa",
        Patient("Naidoo^Kribashnee", date(2016, 5, 9), ("100442",), date(2022, 9, 19)),
        """Dr {clinician:Hamza Cassimjee}, MBChB, {practice:Umgeni Road Family Practice}, {street:Suite 4, Palm \
Court, 310 Umgeni Road}, {place:Durban}, {postcode:4001}
Tel {phone:031 555 0147}    Pr. {registration:1488206}
{date:19/09/2022}

Dear Paeds Endocrine, {facility:Inkosi Luthuli Children's}

RE: {patient:Kribashnee Naidoo}, DOB {birth:9 May 2016}, file {mrn:100442}, c/o parents {relative:Vishen} and \
{relative:Ashika Naidoo}, {phone:084 555 0136}

Six-year-old girl with breast budding, Tanner B3 P2, height velocity 9 cm/yr, height 122 cm (90th centile), weight 25 \
kg. Bone age (Greulich and Pyle) 8 yr 6 mo at {org:Lake Smit Radiology}. LH 1.8, FSH 4.2, oestradiol 92, TSH 2.1, T4 \
15, prolactin N. No café-au-lait spots, so McCune-Albright unlikely. MRI not done. Granny in {place:Chatsworth} used \
lavender oil. Mom had menarche at 10. Prader orchidometer not applicable!

On exam: BP 98/60, HR 88, BMI 16.8 (75th), sitting height ratio 0.53, no goitre, no acne, no axillary hair, visual \
fields full, fundi normal. Abdomen: no mass. Arm span 121 cm. Neuro: Gowers negative, reflexes 2+. Pelvic sonar: \
uterus 4.1 cm, endometrial stripe 3 mm, ovaries 3.2 and 2.8 mL, follicles 8 mm. 17-OHP 1.9, DHEAS 0.8, AFP <2, bHCG \
<1. Van Wyk-Grumbach excluded. Mid-parental height 158 cm. Bayley-Pinneau prediction 149 cm. Lucrin test at 0, 30, 60 \
min?

She is in Gr 1 at {school:Hillview Girls' Prep}; the teacher, Mrs {other:Govender}, noticed in {month:July}. Vaccines \
up to date, Road to Health booklet seen. No meds, Panado prn.

Bonitas {insurance:881204477} main member {relative:Vishen}. Could she be seen before {holiday:Diwali}, as the family \
travels to {place:Chennai} on {date:21 October}?

Regards, {clinician:Y. Cassimjee}""",
    ),
    (
        "nursing shift note, US",
        Patient("Whitmire^Opal Edith", date(1930, 6, 19), ("4410922",), date(2022, 2, 3)),
        """NURSING NOTE    {date:02/03/22} 1915-0730    Unit: {ward:Dogwood}
Pt: {patient:Opal Whitmire}    MRN: {mrn:4410922}    Age {age90:91}

2000: Received report from {clinician:Latrice W.}, RN. Pt A&O x2, pleasantly confused, thinks she is in \
{place:Tuscaloosa}. Asking for husband {relative:Hoyt} (deceased). Likes to be called "Miss {nickname:Opie}".
2130: Meds crushed in applesauce. BP 148/76, HR 72, SpO2 95% RA, pain 0/10 PAINAD. Braden 14, Morse 65, bed alarm on. \
20 G L forearm SL flushed. Purewick 300 mL.
0015: Found with legs over rail. Dr. {clinician:Sethi} paged (#{phone:40718}), Haldol 0.5 mg IM x1 given 0031. QTc 438.
0400: Turned q2h, stage 2 sacrum 2 x 1.5 x 0.1 cm, Mepilex changed, heels floated in Prevalon boots.
0540: Labs drawn: K 3.3 called by lab ({clinician:Javier}), KCl 20 mEq x2 per protocol.
0700: Granddaughter {relative:Ashlyn Whitmire-Hadley} called, password "{id:bluebird7}", updated; she will bring \
glasses and her toy cat from {facility:Camellia House Assisted Living}. Her cell is {phone:205-555-0133}, not the one \
on the face sheet. Pastor {other:Ray Dunaway} of {org:Mt. Pisgah Baptist} may visit {date:Sunday 2/6}.
Report to {clinician:Tamika}, RN. --{clinician:Grace Oyelowo}, RN""",
    ),
    (
        "nursing evaluation, UK",
        Patient("Pryce-Bevan^Gwilym", date(1955, 10, 30), ("D4418820",), date(2024, 3, 16)),
        """{facility:Ysbyty Cwm Rhondda Uchaf}    Ward {ward:Dewi}    Nursing evaluation
{patient:Gwilym Pryce-Bevan} {mrn:D4418820} {birth:30.10.55}
{date:16/03/24} 19:40 Late entry for early shift. Assisted with all ADLs. Barthel 9/20, MUST 2, Waterlow 21. Stoma \
active, bag changed x2, Salts Confidence 35 mm, skin intact. Output 850 mL type 6–7; Loperamide 4 mg qds ac as per Mr \
{clinician:Ghaleb}'s round. NG out at 11:20 by pt. Fortisip x2 taken. Catheter 14 Ch draining, 1,120 mL. PCA morphine \
1 mg/5 min bolus, used 22/31 good/bad. Pain 3 at rest, 6 moving. Temp 37.6. VIP 1, cannula of {date:14/3} resited by \
{clinician:Eleri} (phleb).
Wife {relative:Nerys} rang from {place:Tonypandy}, updated; she can't come till the {date:18th} as son's \
({relative:Rhodri}) car is in for MOT. Stoma nurse {clinician:Delyth Howells}, ext {phone:5519}, will teach {date:Mon \
18/3}. Chaplain, Fr {clinician:Kieran}, visited at own request.
Fluid balance 06:00–18:00: in 1,840, out 1,960. Hartmann's 80 mL/h, K 4.1, Mg 0.71 replaced. MEWS 1, AVPU A, GCS 15, \
Bristol 6, MUST weight 71.2 kg, height 1.73. Mouth care 4-hourly, Biotene. Sliding scale off, BM 7.1–9.4. Robinson \
drain 110 mL, pink. Wound: Opsite, no ooze; Allevyn to heels. Nimbus mattress. Reds n/a, TEDs off 30 min. Norton 14. \
Falls: low. CPE screen neg, MRSA neg. Zimmer frame 10 m x2 with A1.
Plan: lower drain out if <50 mL, sit out x2, TEDs on, Clexane 18:00. Discharge lounge not suitable. Social worker \
referral faxed to {org:Rhondda Adult Duty Team}, {phone:01632 960 733}.
S/N {clinician:M. Abellanosa}, NMC PIN {registration:18K4471O}""",
    ),
    (
        "nursing note, Australia, lower case",
        Patient("Mundine^Shayla", date(2004, 1, 26), ("5518820",), date(2021, 11, 20)),
        """{date:20/11/21} nd. {patient:shayla mundine}, {mrn:5518820}, 17 yo f, {ward:wallaby} adolescent ward. type \
1 dm, dka resolved, day 3.
pt settled, mum {relative:kerrie} staying in {org:ronald mcdonald house}, aunty {relative:bev} w siblings at \
{place:moree}. bgl 2200 14.2, ketones 0.4, 0200 9.1, 0600 7.8. lantus 18 u given 2100, novorapid 1:10 ratio w supper. \
corrected 2 u. fluids ceased {date:19/11} @1430. k 4.1. gcs 15. obs btf. pews 1.
teary about missing formal at {school:moree secondary college} on sat and about her insta ({handle:@shay.m04}) being \
deleted by ex {other:jayden}. low mood, k10 = 24, denies si. referred to aboriginal liaison officer uncle \
{clinician:des}.
plan: diabetes ed {clinician:trudi} 1000, dietitian, cgm (dexcom g6, tx {serial:8KX4M2}) to start. transfer back to \
{facility:moree hospital} {date:tues 23/11} via {org:angel flight} if ok w dr {clinician:subramaniam}. mum's number \
has changed: {phone:0491 577 426}. pathology courier to pick up hba1c, was 13.8% in {month:aug}.
no concerns voiced at handover. rn {clinician:kirra p}""",
    ),
    (
        "nursing note, US, all caps",
        Patient("Delacruz^Ramiro", date(1968, 7, 14), ("20-44-18",), date(2017, 9, 5)),
        """{date:09/05/17} 0310 PT {patient:DELACRUZ, RAMIRO} #{mrn:20-44-18} ARRIVED FROM PACU S/P OPEN SIGMOID \
COLECTOMY W/ HARTMANN'S POUCH BY DR {clinician:TANNENBAUM}. REPORT FROM {clinician:LUZ} RN. DROWSY, EASILY \
AROUSED, ALDRETE 9. VS 97.2 - 104 - 18 - 118/70, 97% ON 2L NC. ABD DISTENDED, MIDLINE DSG DRY, JP X1 RLQ \
40 CC SEROSANG, OSTOMY DUSKY PINK NO OUTPUT. NGT LIWS 150 CC GREEN. FOLEY 16 FR, UOP 35 CC/HR. LR AT 125. \
DILAUDID PCA 0.2/8/1.2. SCDS ON. GLASGOW 14. ZOSYN 3.375 HUNG 0330, NEXT DUE 0930. LACTATE 2.4, H/H \
10.9/32.6, K 3.6, MG 1.7 REPLACED 2 G.
HURRICANE EVACUEE FROM {place:PORT ARANSAS}. WIFE {relative:ESPERANZA} STAYING AT {org:ST JUDE PARISH SHELTER}, \
NO CELL, LEAVE WORD W/ DEACON {other:MARTINEZ} {phone:361 555 0166}. SPANISH INTERPRETER #{id:228817} USED. \
VALUABLES TO SAFE: RING, WATCH, TX DL {license:18820447}, ENV {id:A-0931}. EMPLOYER {employer:GULF SHRIMP CO-OP} \
CALLED RE SHORT TERM DISABILITY, NO INFO GIVEN. DR {clinician:OYEDEPO} AWARE OF UOP, BOLUS 500 CC ORDERED. WOUND \
OSTOMY RN {clinician:DOTTIE STOUT} TO SEE {date:9/6}. {clinician:C. THIBODEAUX} RN""",
    ),
    (
        "district nurse note, UK",
        Patient("Sidebottom^Hilda", date(1933, 2, 4), ("400 118 2273",), date(2023, 6, 1)),
        """{org:Etherow Community Nursing}    Visit {date:01.06.23} 10:15–10:50
{patient:Hilda Sidebottom} ({age90:90}), {street:Flat 6, Weavers Court}, {town:Hadfield Bridge} {postcode:SK13 9QA}. \
Key safe {id:C4471Y}. NHS {nhs:4001182273}

Four layer bandage L leg, ABPI 0.94 ({date:12 May}). Ulcer 4.2 x 3.1 cm medial gaiter, 70% slough, exudate ++, no \
strikethrough. Swab not needed. Inadine stopped, Aquacel Ag + K-Four applied, ankle 21 cm, calf 33 cm. Doppler due \
{month:August}. Right: Activa class 2 stocking. Pain 4/10 on dressing; Zapain x2 before. Wt 51 kg, MUST 1. BM 8.2.

Cat scratched R shin; tetanus status asked of {practice:Simmondley Lane}, {clinician:Joyce} in reception to phone \
back. Neighbour Mrs {other:Sylvia Garside} does shopping on Tuesdays. Great-nephew {relative:Ashley} from \
{place:Stockport} has borrowed £400, {patient:Hilda} upset: safeguarding concern raised, ref {id:DCC-23-00917}, t/c \
to {clinician:Cressida Frost} at adult care {phone:01632 960 731}.

Next {date:Mon 5th June}, then TVN joint visit with {clinician:Enid Akande} {date:14/6}. Please use side gate, dog is \
loose.
{clinician:D. Kowalczuk}, Band 5""",
    ),
    (
        "ED note, US",
        Patient("Baptiste^Marcellus", date(1982, 11, 30), ("61884402",), date(2023, 7, 4)),
        """EMERGENCY DEPARTMENT PHYSICIAN NOTE
{facility:St. Dymphna Medical Center}, {place:Baton Rouge}
{patient:Marcellus Baptiste}    {birth:11/30/1982}    MRN {mrn:61884402}    CSN {id:3009917748}
Arrival: {date:7/4/2023} 2241 via EMS Unit 14    Seen: 2250    PCP: none

CC: burn to hand, chest pain
HPI: 40 y.o. M, line cook at {employer:Boudreaux's Shack}, was lighting a {holiday:Fourth of July} mortar when it \
went off in his R hand. Also 20 min substernal pressure, 6/10, now 2/10. Tdap 2015. Denies LOC. Friend \
{other:Terrance} drove him to the station on {street:Plank Road}.

PMH: HTN, Wolff-Parkinson-White s/p ablation ({facility:Oschner Gulf}, {date:2/2016}). Meds: Norvasc 10. NKDA. \
Social: 1/2 ppd.
Exam: 98.1, HR 108, BP 162/94, RR 18, 99%. R hand: 2nd degree, thenar and index, 1.5% TBSA; FDP/FDS 5/5, cap refill 2 \
s, 2-pt 6 mm. CTAB. RRR.
EKG 2253: sinus tach 106, PR 148, no delta wave, no STE. HEART score 3. hs-Tn 6 -> 7 ng/L. X-ray hand neg FB.
MDM: Burn center at {facility:Baton Rouge General} (Dr. {clinician:Hebert}) by phone {phone:225-555-0155} - \
Silvadene, Xeroform, clinic {date:7/6}. Photo sent by secure chat. Morphine 4, Zofran 4, ancef no.
Wife {relative:Shondra} here. Rx Norco 5/325 #10, PMP checked. Return for fever > 100.4. Phone {phone:(225) \
555-0109}. D/C 0148 on {date:7/5}.
Scribe {clinician:Haley Nunez} for {clinician:Nikhil Desai}, MD""",
    ),
    (
        "ED note, UK",
        Patient("Szczepańska^Kinga", date(1994, 8, 8), ("ED22-188204",), date(2022, 12, 25)),
        """{facility:Royal Hebble General} A&E    Att no {id:ED22-188204}    {date:25/12/22} 03:12
{patient:Kinga SZCZEPANSKA}    28F    {birth:08/08/1994}    {street:11B Cobden Terrace}, {town:Brighouse Moor}    GP \
{practice:Rastrick Bank}
NOK partner {relative:Radosław} {phone:07700 900 255}
Brought by: taxi    Triage cat 3    Sr {clinician:Hollie Dean}

PC: PV bleed 7/40, LIF pain
HPC: LMP {date:5 Nov}. +ve UPT {date:6/12}. Spotting x2 days, heavier since {holiday:Christmas Eve} dinner, 3 pads, \
clots 50p size. Shoulder tip pain nil. G2P0, previous MTOP in 2016, chlamydia treated. Rh neg (says card from \
{place:Elbląg}).
PMH: PCOS, migraine. DH: Sumatriptan prn, folic acid 400 mcg. NKDA. Works {employer:Halcyon Bakery}, nights.
O/E: HR 92, BP 112/70, T 36.8, sats 99%, RR 16, GCS 15, NEWS 1. Abdo: tender LIF, no guarding. Spec: os closed, \
Cusco's small. No CEx.
VBG: pH 7.39, lac 1.1, Hb 118. bHCG 2140 sent. G&S x1.
Urine: blood 3+, leuc neg, nit neg, ketones +. FAST: no free fluid in Morison's or Douglas. Bedside TA scan: no IUP \
seen, ET 11 mm. HR lying 88, standing 104. Kerr's negative, Cullen's negative. Wells 0, PERC neg. Glasgow-Blatchford \
n/a. CRP 4, WCC 9.8, plt 244, eGFR >90, ALT 14. Cannula 18G L ACF, Hartmann's 500 mL. Paracetamol 1 g IV at 03:40, \
pain 6/10 to 3/10. Bartholin's normal.
Imp: PUL ?ectopic
Plan: d/w gynae SHO {clinician:Olamide}, bleep {phone:3088}. Anti-D 1500 IU if needed. EPAU scan {date:27/12} 09:00 \
({holiday:Boxing Day} closed). Analgesia: cocodamol 30/500. Safety net given in Polish via {org:LanguageLine}, ID \
{id:441882}. Home w {relative:Radosław}.
{clinician:Zac Whittingham} ACP, sup. Dr {clinician:N Rehman}""",
    ),
    (
        "ED triage, Australia",
        Patient("Gilfoyle^Bryce", date(2015, 9, 2), ("1190447",), date(2023, 1, 28)),
        """TRIAGE {date:28/01/2023} 1652   ATS 3   {facility:Port Wallis District}
{patient:GILFOYLE, Bryce}   UR {mrn:1190447}   7 y M   dob {birth:02/09/15}   wt 24 kg
Fell from monkey bars at {org:Rotary Park}, {place:Port Wallis}, approx 1600. L elbow deformity, closed. NV: radial \
pulse present, OK sign weak (AIN?), CRT 2 s. FACES 8/10. IN fentanyl 36 mcg at 1658, Painstop given by mum. Ate a \
Zooper Dooper 1545. HR 124 RR 24 SpO2 99 T 36.7 BP 108/66. Imm UTD. NKDA. Vacuum splint.
Accomp by mum {relative:Renee} (MH RN at {employer:Wattle Grove Clinic}), ph {phone:0491 572 549}, and stepdad \
{relative:Corey Dunstan}. Bio dad {relative:Shane Gilfoyle} has Sat access; court order sighted, no {id:PAC 4471/2021}.
Secondary survey 1710: GCS 15, PERL 3 mm, no Battle's, neck cleared (NEXUS), chest clear, abdo soft, Morison's dry, \
pelvis stable, other limbs NAD, Salter-Harris injury excluded at wrist. AIN 3/5, ulnar 5/5, PIN 5/5. Warm, pink, \
pulseless? no, Doppler biphasic. Compartments soft. FLACC 4 after IN dose. Weight-based: paracetamol 360 mg at 1715, \
ondansetron 4 mg. Cas card Broselow white.
Drs note 1725: Gartland III supracondylar, Baumann angle lost. D/w ortho reg {clinician:Fitzsimmons}, transfer \
{facility:Queensland Kids}, {place:Brisbane}, road, Lifeline call {id:RSQ 118820}. Backslab 30 deg. Fasted from 1730. \
IVC 22G R hand, Hartmann's 64 mL/hr. Ketamine 1 mg/kg on standby. Consent by {relative:Renee}. Starts yr 2 at \
{school:Sacred Heart, Port Wallis} on {date:30th}.
{clinician:Jaz Triggs} CN / Dr {clinician:Okello}""",
    ),
    (
        "ED note, Ireland",
        Patient("Lanigan^Noel", date(1945, 12, 25), ("2240918",), date(2018, 3, 2)),
        """{facility:UH Shannonbank} Emergency Department
{patient:NOEL LANIGAN}, 72, {street:14 Assumption Tce}, {place:Nenagh}. MRN {mrn:2240918}. {date:2/3/18}, time seen \
16.05. Triage 2.

PC: collapse in snow. HX: clearing the path for wife {relative:Philomena}; felt lightheaded, down 2 mins, no seizure, \
face injury. Found by the postman, {other:Ger}. Last ate 13.00. Similar x1 on {date:Jan 6th} at the {org:Nenagh \
Credit Union}.
PMHx: AVR (Carpentier-Edwards 23 mm, Prof {clinician:Hurley}, {facility:Mater Private}) in 2012; Warfarin, INR 2.6 on \
{date:26/2}; prostate ca Gleason 3+4, Zoladex 10.8 q12/52, last {month:Jan}.
O/E: GCS 15/15, T 35.4, HR 38, BP 94/58, sats 96% RA. ESM 3/6. Laceration L brow 4 cm. No focal neurology. Power 5/5 \
x4.
ECG: CHB, vent rate 36, RBBB escape. Trop 24. K 5.1. CTB: NAD.
Mx: atropine 600 mcg x2, isoprenaline 2 mcg/min, pads on. D/w cardiology SpR Dr {clinician:Nabil Hamdi}, bleep \
{phone:288}: TPW via R femoral then DDDR. Steristrips + 5.0 Ethilon x6.
Bloods: Hb 13.1, WCC 8.8, plt 211, Na 137, Cr 118, Mg 0.8, TSH 2.2, CRP 7, INR 2.8, lactate 1.9, glucose 7.4, CK 288. \
CXR: sternal wires, CTR 0.54, no oedema. Canadian CT head rule: high risk by age and warfarin. Osler nil, Duke \
criteria nil, Levine 3. Echo bedside: LV good, valve seats well. San Francisco syncope rule +. CHADS-VASc 4. \
Stokes-Adams picture. Swiss staging HT1 (35.4), Bair Hugger on to 36.2.
NOK: {relative:Philomena} {phone:067 555 0182}; daughter {relative:Majella} is a nurse in {place:Boston}. GP Dr \
{clinician:Maura Quilligan} informed, {email:mquilligan@nenaghfp.example.ie}.
{clinician:Saoirse Delahunt} ED Reg    IMC {registration:301774}""",
    ),
    (
        "ED note, Canada",
        Patient("Petrovic^Milica", date(1972, 4, 18), ("8841207",), date(2021, 8, 27)),
        """ED CHART    {facility:Lakeshore Humber Hospital}    {date:27 Aug 2021}
Name {patient:PETROVIC MILICA}    MRN {mrn:8841207}    OHIP {insurance:4471 882 093 VR}    CTAS 2
Allergies: Septra (SJS?)    Family MD: {clinician:Kwan}

49F thunderclap HA 18:40 at spin class ({org:CycleHouse Queensway}), 10/10, vomited x2, neck stiff. Not on OCP. FHx: \
brother {relative:Dragan} died of "brain bleed" at 44 in {place:Novi Sad}. Ottawa SAH rule +.
T 36.9 HR 61 BP 178/96 (L=R) RR 16 SpO2 98 GCS 15. Kernig +/-. PERL 3 mm, fundi: Terson no. CN 2-12 N. Power 5/5. No \
drift.
CT/CTA 19:52 - SAH modified Fisher 3, 6 mm ACom aneurysm. Hunt-Hess 2, WFNS 1.
Tx: nimodipine 60 po q4h, labetalol 10 IV, fent 50, Zofran 4, Keppra 1 g. SBP goal <140. CritiCall \
#{id:CC-210827-118}, Dr {clinician:Bhattacharjee} (NSx, {facility:Toronto Western}) accepts. Air no; land, unit \
{id:5541}. Left 21:25.
Labs: WBC 13.8, Hgb 131, plt 288, INR 1.0, Na 138, K 3.4, Cr 61, Tn 22, lactate 2.2, gluc 9.1. ECG: sinus brady 58, \
cerebral T waves, QTc 488, no Wellens. CXR: clear, no Takotsubo on POCUS, EF 55%. Pain 10/10 to 4/10 after fentanyl. \
CIWA n/a. Foley 16 Fr, art line R radial after Allen test. HOB 30. Hydrocephalus early, Evans 0.31. GCS 15, mRS 0 at \
baseline. Cushing response no. NIHSS 0. Nimotop at 20:10.
Spouse {relative:Nenad} ph {phone:416-555-0187}; wants letter for employer {employer:Etobicoke Stamping Inc.}; \
licence plate of car left in lot {plate:CKLB 882} - security told. Kids {relative:Luka}, {relative:Ana} at \
{school:Our Lady of Peace}, grandma fetching.
{clinician:J. MacIsaac} MD CCFP-EM    billing {registration:041882}""",
    ),
    (
        "ambulance handover, South Africa",
        Patient("Khumalo^Bhekisisa", date(1975, 6, 16), ("2204418",), date(2019, 12, 16)),
        """PRF no {id:2204418}   {date:16 Dec 2019} ({holiday:Reconciliation Day})   Call 14h22  on scene 14h37  dep \
15h05  hosp 15h31
Crew: {clinician:Riaan Botes} (ECP), {clinician:Lerato} (BAA). Veh {id:J118}
Pt: {patient:Bhekisisa KHUMALO} M 44 yrs. ID {id:7506165447088}. Passport n/a.
Scene: {street:R33} near {place:Greytown}, km 41.2, bakkie reg {plate:NUR 44718} vs tree. Unrestrained driver, \
trapped 20 min. JOC ref {id:UMG-1612-77}.
A: own, C-collar. B: RR 28, flail R 4-7, ↓AE, sats 86→97 NRB 15 L. C: HR 128, BP 88/50→104/60 after 500 ml Ringer's, \
FAST n/a. D: GCS 13 (E3V4M6), pupils 3+/3+, HGT 7.2. E: open # R tib/fib Gustilo 3A, pulses ok, Thomas splint.
Rx: ICD 32F R, 600 ml blood; TXA 1 g 14h55; ketamine 40 mg + dormicum 2 mg; Kefzol 2 g.
Hx: HT, allergic pen. On Ridaq. Works {employer:Mondi} plantation, supervisor Mr {other:Zondi} {phone:083 555 0112}. \
Wife {relative:MaDlamini} on way from {place:Ntembisweni}.
Handover at {facility:Edendale Crossing Hospital} to Dr {clinician:Sibiya}, T1 bay 2. Trauma score 9/12. \
Cellphone + R850 + drivers licence {license:401100088B2T} to Sr {clinician:Hadebe}.""",
    ),
    (
        "operation note, US",
        Patient("Rasmusson^Leif", date(1959, 1, 31), ("1104483",), date(2016, 5, 17)),
        """OPERATIVE REPORT

DATE OF OPERATION: {date:05/17/2016}
PATIENT: {patient:RASMUSSON, LEIF O}
MEDICAL RECORD NUMBER: {mrn:1104483}
SURGEON: {clinician:Catherine DeWitt}, MD    ASSISTANT: {clinician:Paul Nakai}, MD (PGY-4)
ANESTHESIA: General, Dr. {clinician:Sunderland}; CRNA {clinician:B. Yoder}

PREOPERATIVE DIAGNOSIS: Adenocarcinoma of the head of the pancreas, cT2N0M0.
PROCEDURE: Pylorus-preserving Whipple with Roux limb.
EBL: 400 mL. FLUIDS: 3.2 L Plasma-Lyte. DRAINS: two 19 Fr Blake.

INDICATIONS: Mr. {patient:Rasmusson} is a 57-year-old dairyman from {place:Viroqua} with jaundice, CA 19-9 of 310, \
referred by {clinician:Dale Erickson}, MD, of {facility:Coulee Valley Clinic}. EUS on {date:April 21, 2016} showed a \
2.4 cm mass.

DETAILS: After time-out, a Kocher maneuver was done and the Winslow foramen entered. A replaced right hepatic artery \
was kept. The neck was divided over the SMV with a Harmonic; margin negative on frozen (Dr. {clinician:Amsel}). The \
duct was 4 mm; duct-to-mucosa with 5-0 PDS over a 5 Fr stent, Blumgart style. Hepaticojejunostomy with 4-0 PDS. \
Bookwalter retractor, laps 10/10, counts correct x2. Clips: Ligaclip. A Codman bulldog, tray {serial:WT-00871}, was \
found to be loose and reported.

Findings: No peritoneal or liver metastases; Virchow and para-aortic nodes not enlarged. Ampulla of Vater and \
Santorini duct seen on the specimen, 7.2 x 4.8 cm. The ligament of Treitz was taken down. Callery fistula risk score \
5. Gastroduodenal artery tied with 2-0 silk, stump 5 mm, suture 4-0 Prolene. Pringle not needed. Vessels: Henle trunk \
divided with LigaSure. Thompson post in place. Cattell-Braasch partly. Antibiotic: Ancef 2 g at 07:42, redosed 11:45. \
Glucose 148. UOP 680 mL. Temp 36.4. Clips x22. Fascia: #1 PDS loop; skin: Insorb. Path: 14 nodes, 1/14 on frozen.

His wife {relative:Torunn} and brother {relative:Arne} were told at 1610 in the lounge. To SICU, extubated.

{clinician:CATHERINE DEWITT}, MD    {initials:CD}:{initials:lr}    D {date:05/17/16} T {date:05/18/16}    \
#{id:884021}""",
    ),
    (
        "operation note, UK",
        Patient("Achterberg^Liesel", date(1949, 9, 9), ("3318824",), date(2020, 1, 23)),
        """OPERATION NOTE    {facility:The Alderney Wing, Solent Queen's Hospital}
{date:23/01/2020}    Theatre 4    List: Mr {clinician:Raghunathan}
{patient:ACHTERBERG, Liesel} (Mrs)    {mrn:3318824}    {birth:09/09/49}
Surgeon {clinician:J. Ashworth-Lyle} (ST7)    Assistant {clinician:Femke}, SCP    Anaes Dr {clinician:Cropper}, \
spinal + sedation    ASA 3
Scrub {clinician:Ines}    WHO checklist done 09:04

Op: L Exeter cemented THR, posterior approach
Indication: OA, Oxford hip 14/48, failed injections
Findings: Grade 4 wear, osteophytes, Trendelenburg pre-op.
Procedure: Lateral, Charnley frame. Langenbeck incision 16 cm. Short rotators tagged with no. 2 Ethibond. Neck cut 1 \
cm. Cup reamed to 52; Rimfit 50/28, Palacos R+G x1 lot {serial:87734018}. Stem 44 no 1 V40, lot {serial:G4418820}; \
head 28 +0, Hardinge restrictor 12. Stable 90/45. Sciatic nerve seen. EBL 300. TXA 1 g.
Closure: Vicryl 1, 2-0, Monocryl 3-0, Dermabond.
Post-op: FWB, Dalteparin 5000 x28/7, Teicoplanin 400 mg x2 further (pen allergic). Check XR. Rehab to \
{facility:Gosport Cottage Annexe}. NJR consent Y, NJR no {id:SQ-20-00418}.
Spoke to husband {relative:Dietmar} 11:35, {phone:023 8018 0447}; he'll be on the {place:Lymington} ferry until 5. \
Sutures by {practice:Hamble Reach Surgery} {date:6/2}.
{initials:JAL} / {phone:1187}""",
    ),
    (
        "operation note, India",
        Patient("Qureshi^Shabnam", date(1991, 5, 6), ("MRD-88241",), date(2022, 6, 14)),
        """{facility:Nawab Sikander Maternity & Nursing Home}, {place:Aminabad, Lucknow}
OT NOTES    Date {date:14/6/2022}    MRD {mrn:88241}
Name {patient:Shabnam Begum} W/o {relative:Mohd Irfan Qureshi}    31/F    Ward {ward:Gulmohar}
Surgeon: Dr. (Mrs) {clinician:Nuzhat Ansari}    Asst: Dr. {clinician:Pallavi Tiwari}    Anaesthetist: Dr. \
{clinician:A. N. Srivastava}    Paed: Dr. {clinician:Khandelwal}    Staff: Sr. {clinician:Jolly}

G3P2L2 with 38 wks 4 days with previous 2 LSCS with scar tenderness. Emergency LSCS under SA (0.5% heavy Bupivacaine \
2 cc, 25G Quincke).

Pfannenstiel incision over the old scar. Dense bladder adhesions. Lower segment thinned, ?dehiscence 2 cm. Kerr \
incision. Live male child, vertex, cried immediately, Apgar 8/9, wt 2.9 kg, at 11.42 am. Placenta posterior, \
complete. Couvelaire nil. Uterus closed in two layers, Vicryl no. 1. B/L tubectomy by modified Pomeroy done, consent \
by both. PPH 700 ml: Syntocinon 20 U, Methergin 0.2 mg IM, Misoprost 800 mcg PR, Bakri not needed. 1 unit PRBC, bag \
no {id:LKO/BB/4471}, given. Mops 10/10.

Vitals: PR 96, BP 110/70, SpO2 99%, UOP 150 ml clear. Bandl's ring absent. Liquor clear, 400 ml. Baby: HC 34 cm, \
length 49 cm, vit K 1 mg IM, Moro present, Barlow and Ortolani neg, Ballard 38 wk. Doyen's retractor, Green-Armytage \
clamps, Allis x4. Rectus: Vicryl 2-0; skin: Ethilon 2-0 mattress. Hb 10.2 preop, 8.8 postop. Blood gp O +ve, ICT neg. \
Anti-D not reqd. Shock index 0.9. Robson group 5. Paracetamol 1 g IV 8 hrly, TED stockings.

Post-op: NPO 6 hrs, Inj Monocef 1 g BD, Inj Metrogyl 100 TDS, Inj Tramadol SOS, I/O chart. Baby tag {id:B-118}, \
mother-in-law {relative:Zubaida} attending. ASHA {other:Kiran Devi} to follow up at {place:Malihabad}, \
{phone:94150 00877}. Aadhaar {id:4471 8820 9331} seen for JSY payment, a/c {account:30294417882}. Stitch removal \
{date:22.06.22}.""",
    ),
    (
        "operation note, Australia",
        Patient("Trevorrow^Margaret", date(1940, 2, 29), ("H004471",), date(2021, 4, 7)),
        """{facility:Barossa Private Day Surgery}    OPERATION RECORD
{patient:Trevorrow, Margaret}    {mrn:H004471}    {birth:29/02/1940}    {date:07.04.2021}
Surgeon: {clinician:Ahmet Yildirim}    Anaesthetist: {clinician:Prudence Gall}    Nurse: {clinician:Col Venning}

R phaco + IOL (MICS 2.2 mm)
Sub-Tenon's block, 2% lignocaine + Hyalase. Betadine 5%. PXF, pupil 4 mm: Malyugin ring 6.25. Main incision 110°. CCC \
with Trypan blue. Divide and conquer, CDE 14.8. One zonular dialysis, 2 clock hours; CTR 12/10 in. IOL Tecnis ZCB00 \
+21.5 D, target -0.25, s/n {serial:7730184471}. Miochol. Cefuroxime 1 mg/0.1 mL. Wound hydrated, Seidel neg.
Vision pre-op 6/36, Fuchs' guttata 2+, Schirmer 8 mm, IOP 17.

Post-op: Maxidex qid, Chlorsig qid x 1/52, Acular bd. Shield nocte. Day 1 review {date:8/4} 0915 at {practice:Tanunda \
Eye Rooms}, {street:12 Murray St}; optom {clinician:Vicki Schubert} at 4/52 for specs. Left eye {month:June}. Drove \
in with friend {other:Merle} from {place:Nuriootpa}, husband {relative:Des} in {facility:Lutheran Aged Care \
Hahndorf}. Contact {phone:08 5550 2299}. Pension {insurance:207 441 882 T}.
Copy Dr {clinician:Heinrich}, {email:reception@kapundamed.example.com.au}""",
    ),
    (
        "operation note, Canada",
        Patient("Whalen^Gerard", date(1964, 8, 12), ("NL-0044718",), date(2022, 10, 13)),
        """OPERATIVE NOTE (synoptic)
Patient: {patient:Gerard Whalen}   MCP {insurance:640812 044 718}   Chart {mrn:NL-0044718}
Site: {facility:Avalon Health Sciences}, {place:St. John's}   Date: {date:October 13, 2022}
Surgeon: {clinician:Mackenzie Puddister}   Resident: {clinician:Sameer Qazi}   Anesthesia: {clinician:Hynes} (GA + TAP)
Dx: rectal adenocarcinoma, mid, ycT2N0 after 5 x 5 Gy
Procedure: robotic LAR (da Vinci Xi, system {serial:SK4471}), TME, loop ileostomy
Findings: No mets. Lesion 8 cm from verge. TME plane intact, Quirke 3.
Steps: Lloyd-Davies. Veress at Palmer's point, 15 mmHg. IMA high tie, Hem-o-lok. Toldt's fascia. Denonvilliers' kept. \
Sureform 60 x2 green. EEA 29, donuts 2/2, leak test neg, ICG good. Blake 19.
Neoadjuvant: short course, then CAPOX x6 (FOLFOX no). Preop MRI: cT3b N1, CRM 3 mm, EMVI neg; MSI stable, KRAS G12D. \
CEA 3.2. Ports: 8 mm x4, AirSeal 12 mm right, 5 mm assistant. Trendelenburg 24 degrees, right tilt 8. Gerota kept, \
gonadal and left ureter seen, hypogastric nerves kept, pouch of Douglas opened. Splenic flexure taken down. Allis x2, \
Turnbull-Cutait no. ASA 3, Clavien n/a, BMI 33, Mallampati 2, Cormack 1.
EBL 75. Time 4 h 12 min. Specimens to Path, req {id:SP22-18841}.
Plan: ERAS, Fragmin 5,000 x28 d, Foley out POD1, clears tonight.
Family: wife {relative:Carmelita} and daughter Sister {relative:Mary Alphonsus}, staying with Uncle {other:Leo} in \
{place:Torbay}, {phone:709-555-0129}. Fish plant ({employer:Quinlan & Hiscock}) disability form done. Family doctor \
Dr. {clinician:Pike}, {place:Bay Roberts}. WHSCC claim {id:0884471}.
{clinician:M. Puddister}, FRCSC, e-signed {date:2022-10-13} 17:20""",
    ),
    (
        "pathology request, UK",
        Patient("Macleod^Mairi", date(1974, 3, 19), ("190374 4418",), date(2023, 8, 9)),
        """HISTOPATHOLOGY REQUEST    Urgent suspected cancer: Y
Surname {patient:MACLEOD}    Forename {patient:MAIRI}    CHI {nhs:190374 4418}    Sex F
Address {street:4 Druim Dubh}, {town:Ullapool Bay} {postcode:IV26 9XD}
Location {facility:Wester Ross General}, OPD 3    Consultant MR {clinician:A. GALBRAITH}
Requested by {clinician:K Sutherland} (CNS)  bleep {phone:6117}    Collected {date:09/08/23} 11:05
Clinical details: pigmented lesion L calf, 9 mm, changing since {month:May}, ABCDE 4/5, Fitzpatrick type 1, ?MM. \
Mother {relative:Morag} died of melanoma in 2009 (block {id:H09/04418} at {facility:Craig Dunain}). Previous BCC nose \
{date:14/02/2019}, Mohs. CDKN2A tested neg. On Xarelto. Crofter, 2 yrs in Queensland.
Specimens: A. elliptical excision 22 x 11 x 6 mm, suture 12 o'clock. B. punch 4 mm, R scapula, ?Spitz ?Clark naevus. \
Formalin 10:1.
Please phone result to secretary {clinician:Ishbel}, {phone:01632 960 861}. MDT {date:23/08}. Copy to GP Dr \
{clinician:Ruaridh Beaton}, {practice:Lochbroom Practice}.
LAB USE: rec'd {date:10/8/23}, no {id:H23/11882}, {initials:DMcP}""",
    ),
    (
        "pathology report, US",
        Patient("Dieckmann^Joan Elise", date(1969, 6, 2), ("5502281",), date(2019, 2, 26)),
        """SURGICAL PATHOLOGY REPORT                              Case: {id:S19-0004418}
{org:Great Plains Pathology Associates}, {street:1401 Sunflower Plaza}, {town:Salina}, KS {postcode:67401}    CLIA \
{registration:17D0918842}
Patient: {patient:DIECKMANN, JOAN E}    MRN: {mrn:5502281}    DOB: {birth:06/02/1969} (Age: 49)
Submitting: {clinician:Lowell Stuckey}, MD    Collected: {date:02/20/2019}    Received: {date:02/21/2019}    \
Reported: {date:02/26/2019}

FINAL DIAGNOSIS
A. Right breast, lumpectomy: Invasive ductal carcinoma, Nottingham grade 2 (3+2+2 = 7/9), 1.8 cm. Margins negative, \
closest 3 mm (inferior). DCIS, 10%. LVI absent. pT1cN0(sn).
B. Sentinel nodes x3: negative (0/3), CK AE1/AE3.

BIOMARKERS (block A4): ER 95% strong, PR 60%, HER2 IHC 1+, Ki-67 14%. Oncotype DX sent to {org:Genomic Reference \
Lab}, kit {id:GX0044182}. PIK3CA H1047R on prior core {id:S19-0001207} of {date:1/22/2019}.

GROSS: Labeled "{patient:Joan Dieckmann}, right breast," a 6.2 x 5.0 x 2.4 cm, 41 g piece with a Savi Scout \
reflector. Inked by Davidson's colors: superior blue, inferior green. Fixed at 14:52, cold ischemia 22 min. Sections \
A1-A12.

IHC CONTROLS: appropriate. Calponin and p63 absent around invasive nests; E-cadherin present. Allred ER 8/8, PR 6/8. \
Magee equation 3 score 16. TILs 10%. Tumor focality: single. Calcifications: in DCIS, cribriform, Van Nuys 7. Skin \
and muscle: not sampled. Lobular neoplasia: none. Residual Cancer Burden: not applicable. AJCC 8th: anatomic IA, \
prognostic IA. H&E x24, levels x3 on B1-B3. Bloom score tallied as 3+2+2. Mitoses 9/10 HPF (field 0.55 mm).

MICRO: Paget changes of the nipple not sampled. Scarff-Bloom-Richardson as above.

Dr. {clinician:Stuckey}'s PA {clinician:Rhonda} was notified by {clinician:T. Imamura}, MD, on {date:2/26} at \
09:14 ({phone:785-555-0143}). E-signed: {clinician:Takeshi Imamura}, MD""",
    ),
    (
        "pathology request, South Africa",
        Patient("Adonis^Gerhardus", date(1990, 2, 2), ("TBH771",), date(2020, 9, 15)),
        """NHLS REQUEST   Episode {id:CBZ00441882}   Ward {ward:Erica}, {facility:Tygerfontein Hospital}
{patient:ADONIS GERHARDUS}   Folder {mrn:TBH771}   DOB {birth:02.02.1990}   M   Cell {phone:076 555 0118}
Dr {clinician:N. Bezuidenhout} (MP {registration:0664182})  Contact {phone:4417}   Taken {date:15/09/2020} 06h40 by \
Sr {clinician:Titus}
ICD-10 A18.2, B20, R59.1
Hx: 30 M, CD4 118, VL LDL, on TDF/3TC/DTG since {date:3 Feb 2020}, cervical LN 3 x 3 cm matted, LOW 8 kg, night \
sweats; PPD 18 mm; prev PTB 2014, RHZE x 6/12 at {facility:Delft South Clinic}. ?TB IRIS ?NHL ?Kaposi ?Castleman. On \
Rifafour day 21, pyridoxine 25. Contacts: mother {relative:Magdalena}, inmates at {org:Pollsmoor}, released \
{month:Mar '20}. Brother {relative:Ricardo} MDR, TB reg {id:WC/2019/0447}.
Tests: FNA for ZN, GeneXpert Ultra, MGIT, cytology, flow. Blood: FBC + diff, LDH, ferritin, CRP, U&E, Ca.
Prev lab: {id:CBX00318827} ({date:1 Sept}) Hb 8.8 MCV 79 WCC 3.1 PLT 410 CRP 121 ALT 62.
On exam: T 38.4, P 112, BP 100/60, BMI 17.1, Karnofsky 60, oral hairy leukoplakia, no Kaposi on palate, spleen 2 cm, \
chest: bronchial breathing RUZ. CXR: RUZ fibrosis, mediastinal widening. US: porta nodes 22 mm, splenic \
microabscesses, FASH+. Mantoux as above. Ziehl-Neelsen on sputum neg x2. HBsAg neg, CrAg neg, RPR NR, uLAM 2+. \
Reed-Sternberg to be looked for. Needle 22G x3 passes, Giemsa + Papanicolaou slides, RPMI 5 mL.
Please phone Dr {clinician:Bezuidenhout} or Dr {clinician:Abrahams} at ID clinic. Lives {street:18 Disa \
Crescent}, {town:Delft} {postcode:7100}.""",
    ),
    (
        "cytology report, Ireland",
        Patient("Heneghan^Ciara", date(1985, 9, 29), ("CY-20-4418",), date(2020, 7, 8)),
        """{facility:Liffeyside Women's Hospital}    Cervical cytology    CSP ID {id:20441882C}
{patient:CIARA HENEGHAN}, {street:Apt 31, The Maltings}, {town:Dublin 8}, {postcode:D08 X4K2}. DOB {birth:29 Sep 1985}
Smeartaker: Nurse {clinician:Orla}, {practice:Inchicore Family Doctors}, reg {registration:ST 11882}
Taken {date:19 June 2020}    Received {date:22 June}    Reported {date:8 July 2020}    LBC vial {id:L4471882}
LMP {date:3/6}. Mirena in situ since 2018. Previous smear {month:March 2017}: P1R3. HPV vaccine no.

Result: HPV 16 detected. ThinPrep: high grade dyskaryosis, moderate (HSIL, CIN2). Endocervical cells seen, also a \
Döderlein flora. P6 R5.
Advice: colposcopy within 4 weeks. Nabothian follicle noted by smeartaker.

Comment: Ms {patient:Heneghan} (formerly {patient:Dunphy}) attended {facility:Coombe Colposcopy} in 2013 for LLETZ, \
chart {mrn:88204}; {patient:Ciara} works at {employer:Guinness Storehouse} and asked for no letters there. Text \
results to {phone:086 555 0151}, or c/o her partner {relative:Aisling Brophy}.

Screener: {clinician:P. Tuohy}    Consultant: Dr {clinician:Ifeyinwa Eze-Walsh}    Authorised {date:08/07/2020} \
14:41""",
    ),
    (
        "clinic letter, UK diabetes",
        Patient("Chaudhry^Nasreen Akhtar", date(1961, 5, 15), ("7718824",), date(2019, 9, 12)),
        """{facility:Spinney Hill Diabetes Centre}    Secretary: {clinician:Lynne Boothroyd}, {phone:01632 960 519}, \
{email:lynne.boothroyd4@spinneyhill.example.nhs.uk}
Ref {id:MK/LB/7718824}    Clinic {date:10/09/2019}    Typed {date:12/09/2019}

Dr {clinician:H Pattani}, {practice:Evington Green}

Dear Dr {clinician:Pattani}

{patient:Nasreen Akhtar CHAUDHRY}, {birth:15.05.1961}, {street:88 Kedleston Avenue}, {postcode:LE5 9ZT}; NHS {nhs:611 \
204 8871}

Diagnoses: T2DM 2003, background retinopathy R1M0, CKD G3aA2, Charcot L midfoot 2017, Hashimoto's.
Medication: Humalog Mix25 38/42 units, Jardiance 10 mg, Trulicity 1.5 mg weekly, Atorva 40, ramipril 10, \
Levothyroxine 100 mcg.
HbA1c 79 (84), eGFR 52, ACR 11.4, chol 3.9, BP 138/78, BMI 33.4, feet: 10 g monofilament 6/10 R, 3/10 L, DP palpable.

Examination: Charcot foot quiescent, temperature difference 0.4 degrees, Total Contact Cast came off in 2018; no \
Dupuytren's; prayer sign positive; acanthosis. Injection sites: lipohypertrophy on the left. Fundi by the screening \
service. TSH 3.1, ALT 41, Fib-4 1.2, Hb 119, B12 202, urate 0.38. Clarke score 4/7, Gold score 3. Epworth 12. PAID \
38. Time in range 54%, GMI 7.6%, CV 38%. Basal 0.3 U/kg, ratio 1:8 g, ISF 1:2. Eating pattern: roti 2, dahl, 55–60 g \
CHO a meal.

It was a pleasure to meet this lady with her daughter {relative:Rabia}, who interpreted from Mirpuri. The fasting \
month begins about {date:23 April} next year and she means to fast; we went through DAR risk (high). Hypos x3, the \
lowest 2.8, one when driving to {place:Oadby}. Freestyle Libre was started; reader {serial:JCGD184-T0447}. She walks \
with the ladies of {org:Highfields Community Hub} and has a new grandson, {relative:Zayan}. The husband Mr \
{relative:Mohammed Chaudhry} has had a stroke.

Review with DSN {clinician:Pat Mistry} in 6 weeks and with me in {month:January}.

Yours sincerely
Dr {clinician:Marta Kalnina}""",
    ),
    (
        "clinic letter, Ireland neurology",
        Patient("Tangney^Donal", date(1979, 10, 21), ("3344182",), date(2022, 5, 11)),
        """Neurology OPD, {facility:South Lee Hospital}
Our Ref: {initials:BS}/{initials:ck}/{id:3344182}    Date of clinic: {date:04/05/2022}    Date dictated: \
{date:11/05/2022}

Dr {clinician:Niall Crotty}, {practice:Macroom Medical}, {place:Macroom}

RE: {patient:Donal TANGNEY}, DOB {birth:21/10/1979}, {street:Kilmurry Cross}, {place:Lissarda}

Diagnosis: relapsing remitting MS (McDonald 2017), EDSS 2.5, JCV index 0.9
Treatment: Ocrevus 600 mg, 4th infusion {date:2 March 2022}; Fampyra 10 mg bd; baclofen 10 mg tds

Dear Dr {clinician:Crotty},

{patient:Donal} had no relapse since his optic neuritis of {month:Sept 2020}. He still runs the home place, 70 \
sucklers, with his father {relative:Con}; fatigue 6/10. Lhermitte's now and then; Uhthoff's in the bath. O/E: RAPD \
left, VA 6/9, 6/6; tone raised R leg, power 4+/5 hip flexion, reflexes 3+, plantar up on the right, HINTS normal. \
T25FW 6.1 s; 9HPT R 24 s. MRI brain ({facility:Alliance Mallow}, {date:12/4/22}): no new T2 lesions, 2 Dawson's \
fingers as before. IgG 6.8, lymph 0.9, JCV sent.

SDMT 51, HADS 7/4, bladder residual 40 mL, Expanded Barthel full. Reflexes: ankle clonus 3 beats on the right, \
Hoffmann's negative, abdominal reflexes absent, Romberg sways. Ashworth 1+. Colour vision 13/17 Ishihara left. OCT \
RNFL 71/92 microns. Hb 14.4, WCC 5.1, ALT 31, Vit D 68, HBV core neg, VZV IgG 1,120. NEDA-3 kept. MSIS-29 51. No PML \
features; Barkhof 3/4. Pneumovax and Prevenar were given, MRI gadolinium none.

He asks about a half marathon in {place:Killarney} on the {holiday:June bank holiday}. I'd support it. The MS nurse, \
{clinician:Noreen Lordan}, ({phone:021 555 0177}) will ring wife {relative:Therese} about Covid booster. Tysabri need \
not be thought of. Return 9/12.

Yours sincerely,
{clinician:Brendan Sweeney}
Consultant Neurologist    IMC {registration:024718}
cc {email:donal.tangney79@mail.example.ie}""",
    ),
    (
        "clinic letter, Australia oncology",
        Patient("Ratnayake^Dilshan", date(1967, 3, 30), ("6620418",), date(2024, 2, 20)),
        """{facility:Illawong Cancer Care}
{date:20 February 2024}
Dr {clinician:Lachlan Molloy}, {practice:Figtree Lane Surgery}, {street:PO Box 418}, {town:Wattle Ridge} NSW \
{postcode:2526}

Dear {clinician:Lachlan},
Re: {patient:Dilshan RATNAYAKE}, MRN {mrn:6620418}, DOB {birth:30/03/1967}

Diagnosis: Stage IV NSCLC (adeno), T2aN3M1b, EGFR exon 19 deletion, PD-L1 5%, diagnosed {month:October 2022}
Current: osimertinib (Tagrisso) 80 mg daily, cycle 15

I saw {patient:Dilshan} with his wife {relative:Chamari} today. ECOG 1. Grade 1 paronychia, diarrhoea x2/day. Weight \
71 kg. He is back at {employer:BlueScope} three days a week and coached the under 12s at {org:Dapto Cricket Club} on \
Saturday. CT of {date:12/02}: left hilar mass 22 mm (24), no new lesions, RECIST stable. MRI brain clear of the two \
treated lesions (20 Gy, SRS at {facility:Macarthur Gamma Unit} by Dr {clinician:Helga Brandt}). CEA 3.1, ALP 88, Hb \
131, eGFR 78. QTcF 442.

On examination: chest clear, no Pancoast signs, no Horner's, no Virchow node, clubbing grade 2, BP 128/76, sats 97%. \
CTCAE: rash G1, fatigue G1, AST 1.2 x ULN. TTF-1 pos, ALK (D5F3) neg, ROS1 neg, KRAS wild type, STK11 not found, TMB \
4 mut/Mb. Echo LVEF 61%. Glasgow prognostic score 0, ALBI 1, Lung-molGPA 3.0, distress thermometer 3/10. T790M by \
ddPCR 0 copies. Zometa 4 mg 12-weekly, Ca 2.34, Vit D 72. Dexa T -1.2.

In case of progression: ctDNA for C797S and MET (FISH). The trial coordinator, {clinician:Wei-Ling}, can be reached \
at {phone:02 5550 4418}; screening number {id:AU-014-0022}. His super claim form was signed; policy \
{insurance:4471882}.

Review {date:19 March}. I have asked that {clinician:Kerrie Tobin}, lung nurse, ring him re skin care.

Kind regards,
{clinician:Geraldine Oh}""",
    ),
    (
        "clinic letter, Canada respirology",
        Patient("Wigglesworth^June", date(1952, 6, 1), ("0774182",), date(2017, 11, 9)),
        """{facility:Annapolis Lung Centre}
{street:60 Prospect Road, 3rd floor}, {town:Kentville}, NS {postcode:B4N 9X1}    Tel: {phone:902-555-0105}
{date:November 9, 2017}
Re: {patient:WIGGLESWORTH, June}    DOB {birth:1952-06-01}    HCN {insurance:0004 418 827}    Chart {mrn:0774182}

Dear Dr. {clinician:Comeau}:

Thank you for asking me to see {patient:June}, a 65-year-old retired librarian ({school:Horton High}), about \
interstitial changes. She has dyspnea MRC 3, dry cough, no Raynaud's, no Sicca. She kept budgies until {month:May}. \
She had Hodgkin's at 22 with bleomycin. Velcro crackles, clubbing absent. Ex-smoker 12 pack-years; her late husband \
{relative:Carl} worked at the gypsum quarry in {place:Windsor}.

PFT {date:Oct 30}: FVC 2.11 L (74%), FEV1/FVC 0.84, DLCO 48%. 6MWT 362 m, nadir 87%, Borg 4. HRCT ({facility:Valley \
Regional}, {date:2017-10-12}): probable UIP, traction bronchiectasis. ANA 1:80, RF 12, Scl-70 neg, avian precipitins \
2+.

Examination: resp rate 18, saturation 94% on air, JVP 3 cm, no loud P2, Schamroth window present. Joints: Heberden's \
nodes only, no Gottron, nailfold normal. Echo: RVSP 38 mmHg, TAPSE 19, LVEF 60%. Bloods: CK 88, CRP 6, ESR 28, \
myositis panel (Jo-1, PL-7) neg, ANCA neg, ACE 41. Mayo score 22, Charlson 4. King's brief ILD 52. Fleischner 2018 \
category: probable. Gender-age-physiology 4 points. Cough VAS 60/100. Lofgren, Caplan and Hamman-Rich not considered.

Impression: chronic HP versus IPF. GAP stage II.
Plan: 1) BAL and cryobiopsy with Dr. {clinician:Zwicker} on {date:Nov 28}. 2) No Ofev yet. 3) Pneumovax, flu shot. 4) \
Her daughter {relative:Robyn Wigglesworth-Doucet}, {email:rwd1978@example.ca}, asks to be copied.

Sincerely,
{clinician:Torquil Munro-Farquhar}, MD FRCPC    {initials:TMF}/{initials:tw}""",
    ),
    (
        "clinic letter, India cardiology",
        Patient("Kurian^Thankachan", date(1955, 11, 18), ("118/19",), date(2019, 6, 28)),
        """{facility:Mar Sleeva Heart Clinic}, {place:Pala}, Kerala.  Ph: {phone:04822 555 041}
OP No: {mrn:118/19}   Date: {date:28/06/19}
Mr. {patient:Thankachan Kurian} (spelt {patient:Kurien} in old papers), 63 yrs, {street:Puthenpurackal House, \
Ramapuram P.O.}

To Dr. {clinician:Jose Chacko}, {facility:Caritas Matha Hospital}

Respected Sir,
Thank you for referring this rubber planter with effort angina CCS II. CAD risk: DM 10 yrs, HTN, FH+ (brother \
{relative:Mathachan} CABG at 52). HbA1c 8.1, LDL 134, creat 1.1. TMT {date:21-6-19}: positive at 6 METS, Bruce stage \
2, Duke score -6. Echo: LVEF 58%, grade I DD. CAG by right radial 6 Fr on {date:25/6} at {facility:Lisie Annex, \
Kochi}: LMCA N, LAD mid 80%, LCx OM1 70%, RCA 40%; SYNTAX 16. Allen's test normal.

O/E: PR 78/min, regular, all pulses felt; BP 146/88 R arm supine; BMI 27.4; S4 +, no murmur; Levine sign + on \
walking. ABI 1.0. ECG: T inversion V4-V6, Wellens pattern absent, QTc 430. Hb 13.8, TC 7,600, TSH 2.1, Lp(a) 62 \
mg/dl, HDL 36, hsCRP 3.1, uric acid 7.2. Framingham 24%. EuroSCORE II 1.1, STS 0.9. Carotid IMT 1.1 mm. Medina 1,1,0 \
at LAD-D1, calcium arc 180, Gensini 44. JL 3.5, JR 4, contrast 60 ml, fluoro 4.2 min.

Options told to him, wife {relative:Aleyamma} and son Fr. {relative:Sebastian} over 30 minutes. They prefer PTCA \
after {holiday:Onam}, in the 2nd week of {month:September}.
Rx: Tab Ecosprin 150, Tab Clopilet 75, Tab Rosuvas 20, Tab Concor 5, Tab Nikoran 5 BD, Tab Sorbitrate 5 SL SOS, \
Glycomet SR 500 1-0-1, Tab Pan 40.
CTVS opinion: Dr. {clinician:Moosa Kunhi}. He has Mediclaim policy {insurance:P/181/4471}.

With regards,
Dr. {clinician:Shibu Cherian}, DM, TCMC {registration:24418}""",
    ),
    (
        "well child visit, US",
        Patient("Lemieux-Ortega^Juniper", date(2019, 8, 3), ("774182-C",), date(2023, 8, 15)),
        """WELL CHILD CHECK 4 YR    {practice:Sugar Maple Pediatrics}    {date:08/15/2023}
{patient:Juniper Lemieux-Ortega} ("{nickname:Junie}")    DOB {birth:8/3/19}    Chart {mrn:774182-C}
Here with: dad {relative:Mateo}, half-brother {relative:Ezra} (9). Mom {relative:Claudine} on phone, \
{phone:802-555-0138}.

Concerns: picky, night waking. Diet: milk 16 oz, no juice. Sleep 10 h. Starts pre-K at {school:Barre Town School} on \
{date:Aug 30}, by bus; was at {school:Little Sprouts} daycare. Pet: a guinea pig. Dentist: Dr. {clinician:Abe Zeller} \
{month:June}. Stooling Bristol 4.
Dev: ASQ-3 all > cutoff, M-CHAT n/a, hops on one foot, draws + and O, tells name. HEEADSSS n/a.
Meds: Flovent 44 2 p BID w/ AeroChamber. Allergy: peanut (Ara h 2 1.4), EpiPen Jr.
PE: Ht 40.2 in (48%), Wt 35.5 lb (51%), BMI 15.4, BP 92/54, vision 20/30 OU Lea, hearing pass 20 dB. Still's murmur \
2/6. Tanner 1. Hgb 12.1, Pb <1.
Imm: DTaP-IPV (Kinrix), MMRV (ProQuad); VIS given.
A/P: WCC. Miralax 1 tsp. Custody: parents share; order {id:118-7-22 Wnfv} scanned. Form for {org:Camp Abnaki} signed. \
Clinic portal {url:portal.sugarmaplepeds.example.com/u/88204}. RTC 1 yr.
{clinician:Fern Hathaway-Brooks}, CPNP; MA {clinician:Dani}""",
    ),
    (
        "clinic letter, UK paediatric cardiology",
        Patient("Abubakar^Idris", date(2020, 12, 1), ("5519024",), date(2022, 6, 21)),
        """{facility:Evelina Outreach Clinic, Swale}    {date:21.6.22}
To: parent of {patient:Idris ABUBAKAR}, {street:Flat 2, 190 Luton Road}, {town:Gillingham}, {postcode:ME4 9QB}
cc Dr {clinician:Sinead Gallagher-Roe}, community paeds; {practice:King Street}; HV {clinician:Wendy Catt}
Hosp {mrn:5519024}, dob {birth:01.12.20}

Diagnosis: Tetralogy of Fallot, repaired {date:4 May 2021} (Mr {clinician:Anagnostou}); 22q11 deletion (DiGeorge); \
Blalock-Taussig shunt not needed

Dear {relative:Halima},

It was lovely to see {patient:Idris} and his twin {relative:Hamza} on {date:14 June}. He is running about, 10.4 kg \
(25th centile), sats 98%, HR 112, BP 88/50 R arm. He has a soft 2/6 murmur. ECG: RBBB, QRS 118 ms. The echo showed no \
VSD leak, free PR, RV mildly large (z +2.1), RVOT 1.8 m/s. Calcium 2.31.

He has no medicines besides vitamin D 400 IU. He needs no antibiotics at the dentist. MMR 1 is overdue and I'd like \
that done. He can go to {school:Tiny Footprints Nursery} and swim. The family moves to {place:Margate} in \
{month:August}, and I shall ask my colleague Dr {clinician:Prakash} at {facility:QEQM} to see him; please call \
{phone:020 7946 0418} if there is no date by {holiday:Halloween}.

With best wishes
{clinician:Lucian Marlowe}""",
    ),
    (
        "physical therapy note, US",
        Patient("Stankiewicz^Ron", date(1957, 7, 19), ("PT-20418",), date(2018, 10, 2)),
        """PT DAILY NOTE   Visit 9 of 16   DOS {date:10/02/18}   {practice:Lakeview Spine & Sport}
Pt: {patient:Ron Stankiewicz}   DOB {birth:7/19/57}   Acct {account:PT-20418}   Referring: Dr. {clinician:M. Gupta}
Dx: M75.121 R RTC tear s/p arthroscopic repair {date:7/11/18}; wk 12. Claim BWC {insurance:18-144718}, adjuster \
{other:Rochelle Kroll}, {phone:216-555-0111}.

S: "Shoulder's a 3/10, worst 5/10 putting the boat up Sunday." DASH 41 (58). Back to light duty at {employer:Lorain \
Stamping} {date:9/24}, 10 lb limit. Wife {relative:Bev} helps w/ HEP.
O: PROM flex 160, ER 60 @ 45; AROM flex 138, abd 120, ER 48. MMT flex 4-/5, ER 4/5. Neer -, Hawkins-Kennedy +/-, \
Speed's -, scapular dyskinesis type II. TE x 30': pulleys, T-band red 3 x 10, wall slides, prone Y/T. MT x 15': GH gr \
III-IV post glide. IFC 80-150 Hz/CP 10'. Total 55'; CPT 97110 x2, 97140 x1, G0283.
Functional: SPADI 44, QuickDASH 38.6, PSFS 5.3, NPRS 3. Apley IR to L3 (R) vs T8 (L). Jobe, Yergason, O'Brien not \
tested per protocol phase II. Cervical screen: Spurling -, ULTT1 -. Posture: Janda upper crossed. Grip Jamar pos 2: \
62/88 lb. Borg 11. HR 74 to 92, BP 138/82. UBE 5' fwd/5' bkwd 60 rpm. Kinesio tape. Maitland II at end range. \
Thera-Band to green at wk 14. G-code CK.
A: progressing; Codman's dc'd.
P: 2x/wk to {date:10/26}; recert due {date:10/19}; MD f/u {date:10/23}. Car blocked driveway again (plate {plate:HGR \
4418}), front desk {clinician:Missy} spoke w/ him.
{clinician:Jared Pohl}, DPT, OH lic {license:PT.014471}""",
    ),
    (
        "occupational therapy home visit, UK",
        Patient("Entwhistle^Doreen", date(1932, 12, 13), ("OT/4418",), date(2023, 4, 4)),
        """Home visit report - Occupational Therapy, {facility:Pendle Rehabilitation Unit}
Date: {date:4 April 2023}, 13:30–15:00. Present: {patient:Doreen Entwhistle}, OT {clinician:Femi Adelaja}, OTA \
{clinician:Jackie}, son {relative:Barry}, dil {relative:Lorna}
Ref {id:OT/4418}; NHS {nhs:702 441 8829}; b. {birth:13/12/32} (age {age90:90})

Property: council 2 bed bungalow, {street:5 Clegg Street}, {place:Colne}. Landlord {org:Together Housing}, tenancy \
{id:TH0044182}. Front 2 steps, 140 mm + 160 mm, rail R. Door 760 mm. Lifeline {phone:01632 960 004}, alarm unit \
{serial:PNC 118820}.
Transfers: bed 48 cm, independent; chair 43 cm raised to 51 with 4" raisers; toilet 41 cm, Mowbray needed; bath: not \
to use; kitchen: perching stool, trolley, kettle tipper. Stairs n/a.
Mobility: WZF 10 m, TUG 28 s, Tinetti 17/28, Berg 38. MoCA 22/30; EMI none. Steps assisted x1.
Falls: {date:2 Feb}, {date:19 Feb}, {date:11 Mar}. Cat a trip hazard. Microwave used {holiday:Easter} before last only.
Risks: son lives in {place:Keighley}; works lates at {employer:Silentnight}. Loops of rug.
Plan: equipment from {org:Accrington Loan Store}, order {id:88-20418}, by {date:6/4}; care QDS 45/30/30/30 via \
{org:Bluebird}; meals; discharge {date:11th April}. Copy to SW {clinician:Mahmood}, GP {practice:Yarnspinners}.""",
    ),
    (
        "speech pathology note, Australia",
        Patient("Kovačević^Zlatko", date(1939, 4, 4), ("228104",), date(2021, 8, 19)),
        """SPEECH PATHOLOGY  {date:19/8/21} 1115
{patient:Zlatko KOVACEVIC} UR {mrn:228104}, {ward:Wattlebird} Ward bed 11. Croatian int. {other:Snježana} on phone.
Hx: 82 yo, L MCA infarct {date:15/8} (NIHSS 14, ASPECTS 7), ECR at {facility:Alfred West}, TICI 2b, PHx Parkinson's \
(H&Y 3), GORD, Zenker's repaired 1998. NBM since {date:16/8}, NGT 12 Fr at 58 cm.
O/E: alert, upright in tub chair. Broca-type aphasia: y/n 6/10, single words 2/8; WAB AQ 31. CN VII R UMN pattern; \
XII dev R. Voice wet. 3-oz test fail. Thick fluids IDDSI 2: delayed 3 s, 1 cough; IDDSI 3: nil; puree IDDSI 4: clear \
after 2 swallows. Sats 96 → 95.
Cough reflex test (citric acid 0.6 mol/L) weak. Mendelsohn and Masako not able; Shaker n/a. Dentition: upper plate. \
Boston Naming 4/15, Pyramids and Palm Trees 44/52. mRS 4, Rankin pre 1, Barthel 30/100. Water: Frazier protocol not \
now. MASA 148/200. Apraxia of speech mild, Wernicke features nil, dysarthria UUMN mod. FEES if VFSS late. \
Hyolaryngeal exc. 1/3. Temp 37.3, RR 18, CRP 22. Wt 68.4 kg. Jevity 1.0 at 60 mL/hr.
Imp: mod oropharyngeal dysphagia, FOIS 4.
Recs: IDDSI 4 diet/IDDSI 3 fluids, meds crushed in puree, upright 30 min, oral care QID (Biotene), stop if RR > 25. \
VFSS {date:Mon 23/8} 0930, form {id:VF-4418}.
D/w Dr {clinician:Ainsley Burgoyne} (pg {phone:4071}), NUM {clinician:Roz}, dietitian {clinician:Mei}. Ed to wife \
{relative:Ljubica} & grandson {relative:Luka Petrie} ({phone:0491 573 087}); they run {employer:Adriatic Smallgoods} \
in {place:Footscray}. AAC app on iPad (asset {id:MH-11882}).
{clinician:Freya Lindholm} CPSP ({initials:FL})""",
    ),
    (
        "social work assessment, US",
        Patient("Yazzie^Elwood", date(1961, 10, 10), ("118204",), date(2020, 8, 6)),
        """SOCIAL WORK PSYCHOSOCIAL ASSESSMENT    {date:August 6, 2020}
Client: {patient:Elwood Yazzie}   MR# {mrn:118204}   DOB {birth:10/10/61}   SSN last 4: {ssn:4471}
Referred by: Dr. {clinician:Sharon Begaye}, {facility:Chinle Dialysis}

Mr. {patient:Yazzie} is a 58-year-old Navajo man, ESRD on HD TTS since 2017, living in a hogan w/o running water at \
{street:mile 9, Route 27}, near {place:Many Farms}. Clan: {other:Tódích'íi'nii}. Census no. {id:118,204}. He was \
widowed {date:5/14/2020}, when {relative:Lenora} died of COVID at {facility:Flagstaff Medical Center}. Raises \
grandsons {relative:Kyle} and {relative:Tyrone}, who attend {school:Chinle Junior High} online; hotspot from {org:St. \
Isabel Mission}. Former welder, {employer:Peabody Kayenta Mine}, laid off {month:August 2019}. Army 1980-84, VA file \
{id:C-22 418 820}.

PHQ-9 14 (item 9 = 0), GAD-7 8, AUDIT-C 0, MoCA 25/30. Kt/V 1.31; missed 3/12 runs: truck ({plate:BXA 4418}, Chevy) \
needs a transmission. Food box weekly via niece {relative:Roberta}.

Plan: (1) AHCCCS transport, {phone:928-555-0119}, conf. # {id:TR88204}; (2) SSDI appeal, claimant rep {other:Loren \
Tso}; (3) Talking Circle by Zoom; (4) traditional healer, hataałii {other:Norman Benally}, per his wish, before \
{holiday:Labor Day}; (5) transplant referral form.
Contact: {phone:(928) 555-0193} message only. E-mail of grandson {email:kyle.y06@example.com}.
{clinician:Anneliese Trujillo}, LMSW""",
    ),
    (
        "safeguarding note, UK",
        Patient("Pargeter^Lexi-Mae", date(2014, 3, 17), ("0044182",), date(2021, 3, 26)),
        """STRATEGY DISCUSSION, s47    {date:26/03/2021} 11:00, Teams
Child: {patient:Lexi-Mae Pargeter}, {birth:17/3/14}, LCS {id:0044182}; sibs {relative:Kayden} (5), \
{relative:Harper-Rose} (1). {street:61 Balaclava Road}, {town:Dudley Port} {postcode:DY4 9XZ}
Mother {relative:Chelsea Pargeter} (dob {birth:30/6/94}), MP {relative:Dean Hickinbottom}, father {relative:Ryan \
Tandy} (HMP {org:Featherstone}, no. {id:A4418EK})
Present: TM {clinician:Gurpreet Sahota}; SW {clinician:Tamar Wildgoose}; DS {other:Tranter}, collar {id:4418}, \
{org:West Midlands Police}; Dr {clinician:Annette Osei}, paeds, {facility:Russells Hall}; HV {clinician:Mags}; DSL \
Mrs {other:Lall}, {school:Summerhill Primary}

Info: On {date:Wed 24 March} {patient:Lexi} told her TA she was "hit with a charger". School photo'd 2 linear \
bruises, R thigh 7 x 1 cm, 5 x 1 cm. MP has cautions, 2016, 2018. {relative:Kayden}: caries, 3 WNB at dental. HV ASQ \
at 12/12 fine. DV log {id:20DY/114471}. Nan {relative:Sandra} has them weekends. Health: eczema, Elocon, wt 24 kg \
50th centile; Hb 121; skeletal survey for the under-2, CT head per RCPCH, bloods FBC, clotting, vWF; ophthal.
Agreed: joint s47; medical today 14:30 {org:The Willows SARC}; ABE {date:29/3}; no contact by {relative:Dean}; \
bail till {date:23/4}; ICPC by {date:16 April}. Mother's mobile {phone:07700 900 774}. EDT aware over \
{holiday:Easter}.""",
    ),
    (
        "social work note, Canada",
        Patient("Ferguson-Blais^Rosalie", date(1935, 2, 11), ("441882",), date(2024, 5, 16)),
        """Social Work - Alternate Level of Care Review
Date: {date:2024-05-16}    Writer: {clinician:Marie-Ève Lachance}, MSW RSW, ext. {phone:7741}
Pt: {patient:Rosalie Ferguson-Blais} ({patient:Rose}), 89, MRN {mrn:441882}, {ward:Trillium} Wing, {facility:Kanata \
Queensway Hospital}

Met with pt, son {relative:Gilles Blais} (POA-PC, {phone:613-555-0180}) and dtr-in-law {relative:Xiu}. Second son, \
{relative:Marc}, est. in {place:Gatineau}, joined by FaceTime. Dx: vascular dementia, MMSE 14/30, CPS 4, MAPLe 5, \
CHESS 2, RUG n/a. BPSD since husband's ({relative:Armand}) move to {facility:Résidence Saint-Louis}. House at \
{street:27 Foxleigh Crescent} sold; closing {date:June 28}.
LTC choices: 1. {facility:Villa Marconi Ouest} (semi, Fr.), 2. {facility:Carleton Lodge East}, 3. {facility:Garry J. \
Pines}. HCCSS coord. {clinician:Devon Achebe} {phone:613-555-0168}, file {id:CH-0044182}. Bill 7 explained, rate \
$66.95/d; 70 km radius. Consent and capacity: found incapable {date:May 9} (form signed by Dr. {clinician:Lum}); \
rights advice {date:May 13}; CCB application not planned.
Finances: OAS/GIS, pension from {employer:Bell Northern}; RBC acct ending {account:4418}; SIN on file. Church: \
{org:St-Rémi}, Père {other:Jutras} visits Thursdays.
Plan: review {date:Tues May 21}, after {holiday:Victoria Day}; bed offer = 24 h to reply.""",
    ),
    (
        "nurse triage call, US",
        Patient("Hargrove^Leticia", date(1988, 6, 27), ("9918204",), date(2022, 10, 31)),
        """TELEPHONE ENCOUNTER    {date:10/31/2022} 4:52 PM    Taken by {clinician:Bethany Whitacre}, RN
Caller: {patient:Leticia Hargrove} (self)   DOB verified {birth:06/27/1988}   MRN {mrn:9918204}   CB# \
{phone:919-555-0162}
PCP: {clinician:Rajiv Bhardwaj}, MD ({practice:Triangle Women's & Family})

Reason: headache and BP 158/96 at home x2, 9 days PP (SVD {date:10/22}, {facility:WakeMed Falls Road}, baby \
{relative:Zion}). HA 7/10, Tylenol 1000 no help. No scotoma, no RUQ pain, feet swollen. Meds: PNV, Motrin 600. Hx \
gest HTN, no Mag.
Protocol: Postpartum - High BP (Schmitt-Thompson). Disposition: ED now. Caller's mom {relative:Ernestine} will drive \
from {place:Garner}; sister {relative:Tasha} has the kids for trick-or-treat. She can't leave until {relative:Andre} \
is off shift at {employer:Food Lion DC #4}; urged 911 if vision changes.
Warm handoff to OB on call Dr. {clinician:Yamaguchi} 4:59 PM, {phone:919.555.0117}.
5:40 PM: called back, no answer, LM x1 on v/m w/o PHI.
6:15 PM: per Care Everywhere arrived 6:02 PM, UPC ratio 0.4, AST 31, plt 188, labetalol 20 IV.
{date:11/1} 9:10 AM: spoke w/ pt, home on Procardia XL 30; BP visit {date:11/3} 1:20 w/ {clinician:Beth}. MyChart \
msg sent to {email:tishah88@example.net}. Closed. {initials:BW}""",
    ),
    (
        "GP telephone consultation, UK",
        Patient("Ravenscroft^Rupert", date(1972, 11, 22), ("2044718",), date(2020, 4, 17)),
        """{date:17-Apr-2020} 10:14  Telephone consultation   Dr {clinician:A Quartermaine}   {practice:Lyme Bay \
Medical}
Mr {patient:Rupert Ravenscroft}   {birth:22-Nov-1972}   EMIS {mrn:2044718}

History: call back on {phone:07700 900 631} as requested, wife {relative:Tabitha} listening. Day 9 of cough and \
fever, anosmia from {date:10 April}. Breathless on stairs only. Oximeter from the vet's ({employer:Axe Valley Vets}, \
where he is partner): 95% rest, 93% after 40 steps. HR 96. T 38.1 this am. Roth score 18 s. Speaks full sentences. \
Eating little, PU ok. Asthma, Clenil 200 bd + Salamol, PEFR 440 (best 560). Not shielding. Father {relative:Hugo} d. \
1999 PE. FIL, {age90:92}, in the annexe at {street:Wootton Grange}; shopping from {org:Uplyme Helpers}.
Systems: no chest pain, no haemoptysis, no calf pain (Wells 0), stool Bristol 5, urine pale. Smoking never, alcohol \
20 u/wk. Past: Bell's palsy 2014, Scheuermann's, Gilbert's. CRB-65 0. NEWS2 by phone 3. Rockwood 1. Drugs also: \
Nasonex, Zirtek prn. Paracetamol 1 g qds; ibuprofen none. BMI 27. Hydration ok, Roth counted to 24. Frailty none. \
Home: 5 people. The oximeter may read 2% low.
Examination: n/a
Diagnosis: suspected COVID-19 (Xa0w2)
Plan: repeat sats qds, diary; 999 if <92%; doxy 200 stat, 100 od 5/7 EPS to {org:Cobb} Pharmacy; safety-net; call \
Sun by hub at {facility:Axminster Hospital}, ref {id:111-4418820}. MED3 {date:9/4}–{date:23/4}. Isolate 14/7. \
Daughter {relative:Ottilie} back from {school:Sherborne Abbey Girls}: cough too, see her own notes. Spoke later \
to Dr {clinician:Jonty Marsh} (resp) - agree.""",
    ),
    (
        "telephone note, Australia",
        Patient("Tāufa^Semisi", date(1981, 5, 5), ("7718402",), date(2023, 9, 28)),
        """PHONE CALL - Renal transplant CNC   {date:28/9/23} 1340
Re {patient:Semisi Taufa}, ur {mrn:7718402}, Tx {date:6/5/2019} (LRD, sister {relative:Lupe})
Call from pt on {phone:0491 574 118} - tac level from {org:QML Logan} {date:26/9} 14.2 (8.1), creat 168 (112). Has \
had clarithromycin 250 bd since Fri for chest from a locum at {practice:Woodridge SuperClinic}, ?Dr \
{clinician:Mudiyanselage}. Nil fever, slight tremor, UO ok, BP 148/92, wt 131.
D/w Dr {clinician:Carolyn van Zyl} 1355: cease clarithro, Tac (Prograf) hold 1 dose then 3 mg bd from 5 mg; rpt level \
{date:Sat 30/9} + {date:Tues 3/10}; pred 5, MMF 750 bd cont; doxy 100 d if needed. BK PCR, DSA with next bloods; \
graft US {date:4/10} 0815 at {facility:PA Annexe}.
Pt repeated back. Wife {relative:Ana} to set Webster-pak w/ {org:Crestmead} Pharmacy, chemist {other:Huy}. NDIS no \
{id:431 882 044}. Forklift at {employer:Acacia Cold Stores}: note not needed. Flying to {place:Nuku'alofa} for his \
uncle's funeral {date:12 Oct}?? - advised against. Nephew {relative:Viliami} is translating for mum {relative:'Ofa}.
{clinician:S Heffernan-Lowe} CNC, {phone:07 5550 6018}, {email:renaltx.cnc@health.example.gov.au}""",
    ),
    (
        "problem list, US",
        Patient("Oyama^Clifford K", date(1942, 3, 8), ("0118-4471",), date(2023, 1, 5)),
        """{patient:OYAMA,CLIFFORD K}   {mrn:0118-4471}   {birth:MAR 08,1942}   MBI {insurance:1EG4-TE5-MK72}   \
Printed {date:JAN 05,2023}@09:14
ACTIVE PROBLEMS
1. Parkinson's disease (G20), onset 2016 - Sinemet CR 25/100 TID - Dr. {clinician:Sakamoto}
2. Permanent AF - Eliquis 5 BID; Watchman declined {month:10/2021}
3. CLL, Rai 0, Binet A, del(13q) - {clinician:Ferreira}, labs q6mo at {facility:Windward Oncology}
4. Prostate ca, Gleason 3+3=6, PSA 4.4 ({month:11/22}) - AS
5. OA L knee - Supartz x3, last {date:NOV 17,2022}
6. Hearing loss, AU - aids, R {serial:2144X0K7}
7. Mohs L ear {date:6/14/19} - {clinician:Kaleo Kealoha}, MD
INACTIVE: Zoster V1 2012; Mallory-Weiss tear 1988; Colles fx R.
ALLERGIES: PCN (rash 1960s), lisinopril (cough)
SURGICAL: CABG x3 {date:2/11/2004}, {facility:Queen Emma Medical Center}; TURP 2014; lap chole 2001
VITALS: BP 128/72, P 64, T 97.8, R 14, SpO2 97%, WT 168 LB, BMI 25.2, PAIN 2/10
LABS: WBC 24.1 (L 78%), HGB 13.2, PLT 188, NA 140, K 4.4, CR 1.1, EGFR 66, A1C 5.8, LDL 71, TSH 2.0, B2M 2.4
SCORES: UPDRS-III 22, HOEHN-YAHR 2, MOCA 25/30, CHA2DS2-VASC 4, HAS-BLED 2, KATZ 6/6, LAWTON 7/8, EPWORTH 8, GDS 2/15
NEGATIVE: RICHTER, COOMBS, ROMBERG, BABINSKI, MYERSON +/-; LEWY BODY FEATURES NONE
SOCIAL: retired principal, {school:Waimanalo Intermediate}; wife {relative:Setsuko} HCPOA {phone:808-555-0174}; son \
{relative:Glenn} in {place:Torrance}; lives {street:41-118 Hinalea St}, {place:Kaneohe}
HM: Shingrix 2/2, PCV20 {date:9/28/22}, DEXA T -1.8, EF 60%, colonoscopy 2015; AWV {date:1/5/23}
CARE TEAM: PCP {clinician:Lehua Medeiros}, MD; RN CM {clinician:Joy}; PharmD {clinician:Trung}; fax {phone:(808) \
555-0199}""",
    ),
    (
        "GP summary, UK",
        Patient("Abernathy-Clarke^Moira", date(1947, 8, 20), ("11872",), date(2019, 2, 28)),
        """Patient summary (printed {date:28.02.2019} by {clinician:K. Lomax}, {practice:Beeston Fold PCN})
{patient:ABERNATHY-CLARKE, Moira} (Ms)  NHS {nhs:455 118 7204}  EMIS {mrn:11872}  {street:The Old Chapel, Sykes \
Lane}, {town:Holmroyd} {postcode:HD9 9TX}  Tel {phone:01632 960 872}  Registered GP Dr {clinician:Sumaira Latif}

Active
{date:14-Jan-2019} Polymyalgia rheumatica; pred 15 mg, Adcal D3, alendronic acid 70 mg weekly
{date:03-Sep-2015} Essential hypertension QoF
{month:Apr-2011} Barrett's oesophagus C2M4, OGD 2-yearly {facility:Huddersfield Nuffield}
2008 Hypothyroidism
1996 Menière's disease
Past
{date:21-Jun-2003} Colles' fracture L
1981 Ectopic, R salpingectomy
Allergies: trimethoprim; Elastoplast
Medication (repeat): Levothyroxine 75 mcg x56, amlodipine 5 mg x56, omeprazole 20 mg bd, Serc 16 mg tds
Values: BP 136/82 ({date:14/1}), BMI 24.1, eGFR 71, TSH 2.2, ESR 58, HbA1c 41, QRISK3 14.8%, FRAX 18/6.1
Family: m. {relative:Agnes} GCA; d. {relative:Kirsten} coeliac
Carer for: {relative:Leonard Clarke} (husband, Lewy body). Occupation: ret. cellist, {employer:Opera North}
Reviews due: PMR {date:11/03}, Zostavax (78), bowel screening, smear none
Third party: share with sister {relative:Isla} ONLY, password {id:rosin}""",
    ),
    (
        "medication reconciliation, US",
        Patient("Vanderploeg^Harold", date(1936, 10, 5), ("30218847",), date(2021, 12, 13)),
        """ADMISSION MEDICATION RECONCILIATION
{date:12/13/2021} 1822    {patient:Harold Vanderploeg}    MRN {mrn:30218847}    85 M    {facility:Holland Lakeshore \
Hospital}
Historian: daughter {relative:Janna} ({phone:616-555-0141}), bottles, {org:Meijer} Pharmacy on {street:E. 16th St} \
({phone:616-555-0190}), Surescripts. Collected by {clinician:Noah Brink}, CPhT; verified {clinician:Alicia Kwong}, \
PharmD, BCPS

1. Coumadin 2.5 mg MWF, 5 mg other days - last taken {date:12/12} PM; INR 3.8 - HOLD
2. Toprol XL 50 mg daily - {date:12/13} AM - continue
3. Sinemet 25-100, 1.5 tabs 5x/d (0600/0900/1200/1500/1800) - continue ON TIME
4. Lantus 22 u HS; Humalog 1:12 + ISF 40 > 150 - reduce 20%
5. Flomax 0.4 HS; Proscar 5
6. Synthroid 112 mcg (NDC 0074-9296-90)
7. Xalatan OU qHS; Cosopt BID OD
8. Norco 10/325 q6h PRN - #90 filled {date:11/29}, prescriber {clinician:Hoekstra}, DEA {license:BD4471889}
9. Fish oil, CoQ10, "Dr. Tobias" probiotic
Not taking: Lipitor (myalgia {month:March}), Namenda
Allergies: Keflex - hives; contrast - Stevens-Johnson? unclear
CrCl 34 (CG, 71 kg). QTc 466. Rx # {id:6644182} bottle belongs to wife {relative:Geertje}; returned. Pills packed \
by {org:Freedom Village} nurse {clinician:Trudy}. Ins: card ID {insurance:XYM884471820}, Grp {insurance:71882}""",
    ),
    (
        "medication reconciliation, Canada",
        Patient("Bannatyne^Colleen", date(1968, 8, 31), ("M0088204",), date(2020, 6, 4)),
        """BPMH   {date:04/06/2020}   {patient:Bannatyne, Colleen R.}   PHIN {insurance:441 882 047}   {mrn:M0088204} \
  {birth:31/08/1968}
Site: {facility:Brandon Assiniboine Centre}   Pharmacist: {clinician:Halyna Hryhorchuk}   DPIN checked 14:05
Sources: pt, {org:Prairie Rose Drugs} ({phone:204-555-0115}, {other:Vern}), vials

Drug / dose / last filled
- methotrexate 15 mg SC weekly (Fri) / {date:May 15}
- folic acid 5 mg weekly (Sat)
- Humira 40 mg q2w, via the support program, ID {id:HC-118204} / {date:May 29}
- Plaquenil 200 mg bid; eye exam {month:Nov 2019}
- Effexor XR 150; Wellbutrin XL 150 / {date:May 1}
- Advair 250 1 puff bid; Ventolin prn
- Estrogel 2 pumps; Prometrium 100
- T3s 1–2 q6h prn, 30 tabs, Dr. {clinician:Lafreniere} {date:Jun 1} (M3P)
- medical cannabis 1:20 oil 0.5 mL hs, client {id:TW-4471}
OTC: Voltaren Emulgel 2.32%, vit D 2000, melatonin 5.
Discrepancies: Lyrica 75 charted, stopped at {holiday:Easter} by Dr. {clinician:Gunn-Hrabi}: not reordered. Humira \
overdue? no; held for cellulitis R shin, WBC 13.1, CRP 88, Ancef 2 g q8h.
Adherence: dosette by sister {relative:Gaylene}. Farm at {street:NE 14-10-19 W}, {place:Souris}; teacher aide, \
{school:Souris School}. Discussed with Dr. {clinician:Tavares}; orders rewritten 15:20.""",
    ),
    (
        "pharmacist note, UK",
        Patient("Nwachukwu^Emmanuel", date(1966, 1, 6), ("K0442071",), date(2022, 9, 2)),
        """Pharmacy Drug History / {ward:Nightingale} Ward / {date:02.09.22} 09:50 / {clinician:Rhys Nancarrow} \
(bleep {phone:1482})
{patient:Emmanuel Nwachukwu} {mrn:K0442071} 56M wt 94 kg, eGFR 44, LFT N, K+ 5.3
DHx via SCR + PODs + pt. Community: {org:Paydens}, {street:High Street}, {place:Sheerness}, {phone:01632 960 340} \
({other:Anjuli}); NMS for Edoxaban {date:25/8}
1 Edoxaban 60 mg od - cont (CrCl C-G 68)
2 Bisoprolol 5 - cont  3 Ramipril 10 - HOLD (AKI 1)  4 Spiro 25 - HOLD
5 Metformin MR 1 g bd - 500 bd  6 Gliclazide 80 bd - cont, CBG QDS
7 Allopurinol 300 - 200; colchicine 500 mcg bd x 6 (cyp w clarithro!!)
8 Symbicort 200/6 2 bd; Braltus
MRSA neg. CRP 188, WCC 17.1, urate 0.61, Mg 0.66, HbA1c 61, troponin 31. Cockcroft-Gault IBW 71 kg. Gent: Hartford \
nomogram n/a, 5 mg/kg ABW. Tazocin stopped. Naranjo 3 for rash with Augmentin in 2011: not allergy. Child-Pugh A. \
Apixaban switch? HAS-BLED 2. O2 24% Venturi. Insulin none. STOPP/START: PPI + colchicine ok. ACB score 2. Falls: \
Zimmer. Dosing time 08:00, 14:00, 18:00, 22:00; Nystan 1 mL qds.
NKDA confirmed. Adherence: Nomad x4/52 packed Thurs. Alcohol 12 u/wk. Herbal: moringa, from cousin {relative:Chidi}.
ISSUES: Sepsis CURB65 2: co-amox 1.2 + clarithro 500 → change to doxy (QTc 481). Gent x1 given 320 mg, level 0.7 @ 18 \
h. VTE n/a DOAC. Vac: Pneumovax 2018.
Outpt methotrexate? No: it's his wife ({relative:Ifeyinwa})'s, removed, relocked POD locker. TTO: DMS to \
community, ref {id:DMS-7K-0442}. Discussed: Dr {clinician:Lottie Ackroyd}; d/w anticoag {clinician:Bola}. Next \
r/v {date:5/9}. Employer: {employer:Kent Stevedores}.""",
    ),
    (
        "genetics letter, UK",
        Patient("Trewin^Demelza", date(1983, 4, 29), ("G21/04418",), date(2021, 10, 19)),
        """{facility:Peninsula Genomics Service}    {street:Level 3, Royal Tamar Hospital}, {town:Plymstock} \
{postcode:PL9 9XX}
Pedigree {id:G21/04418}    {date:19 October 2021}    Video consultation {date:12 October 2021}

Ms {patient:Demelza Trewin}, {street:3 Chywoone Row}, {place:Newlyn}    NHS no: {nhs:488 204 1187}    born \
{birth:29/4/83}

Dear {patient:Demelza},

Thank you for speaking with me and our student, {clinician:Fraser}. You were referred by Mr \
{clinician:Trevithick-Shaw} as your sister {relative:Kerensa} has a BRCA2 variant, c.5946delT p.(Ser1982Argfs), class \
5, found when she was treated for triple negative breast cancer in {month:February}. Your mother {relative:Loveday} \
had ovarian cancer at 54 and Aunt {relative:Jenifer} at {facility:Treliske} breast cancer aged 39; your uncle \
{relative:Digory}, a fisherman on the {employer:Girl Pamela}, has prostate cancer, Gleason 4+4. Manchester score 38. \
CanRisk gives 1 in 2 before testing.

We went over what we know: a BRCA2 change gives a lifetime breast cancer chance of 60–70% and an ovarian chance of \
15–25% (Gilbert and BOADICEA models agree); BRCA1, PALB2, ATM, CHEK2 c.1100delC, RAD51C and TP53 (Li-Fraumeni) were \
clear in your sister's R208 panel, as were MLH1, MSH2 (Lynch) and CDH1. Pancreas: 2–3%. Chemoprevention with \
Tamoxifen 20 mg halves the risk. Your own mammogram in 2020 was normal. Cowden, Peutz-Jeghers and Fanconi were \
mentioned. Contraception: Cerazette is fine. The Ashkenazi founder test does not apply. Tyrer-Cuzick 10-year risk 4.1%.

You chose to have the test (R208). The blood was taken at {practice:Mounts Bay Practice} on {date:14/10}, lab \
{id:EX2104418}. Result in 6–8 weeks. If positive: MRI yearly from 30 to 50, RRSO at 40–45, and PGT-M. Your daughter \
{relative:Elowen}, 7, is not tested now. Also noted: factor V Leiden, Ehlers-Danlos query (Beighton 3/9).

Your next talk: {date:Tues 7 Dec}, 2 pm, link {url:https://video.pengen.example.nhs.uk/r/demelza-t-4418}.

With best wishes,
{clinician:Hetty Boscawen}, Principal Genetic Counsellor, GCRB {registration:418}""",
    ),
    (
        "psychiatric evaluation, US",
        Patient("Castellanos^Xiomara", date(2000, 9, 13), ("BH-44182",), date(2023, 3, 9)),
        """INITIAL PSYCHIATRIC EVALUATION (telehealth)    {date:March 9, 2023}, 60 min
{patient:Xiomara Castellanos}, pronouns they/them, goes by {nickname:Mars}; DOB {birth:9/13/2000}; {id:BH-44182}
Provider in {place:Providence}, RI; pt at home, {street:88 Larch St #3R}, {place:Pawtucket}; IP {ip:73.118.204.47} \
logged; emergency contact Abuela {relative:Nidia} {phone:401-555-0126}

CC: "I can't turn my brain off."
HPI: 22 y/o student, senior at {school:Bryant College of Design}, panic 4/wk, PHQ-9 17, GAD-7 19, ASRS 5/6, MDQ neg, \
PCL-5 44 after assault on {holiday:Halloween} 2021 by {other:Kyle D.}. C-SSRS: passive SI, no plan. Last ED \
{facility:Miriam South}, {date:1/15/23}. Therapist: {clinician:Tova Stein}, LICSW, weekly.
Past: Zoloft 100 (2019), Lexapro 10 (GI), Vyvanse 30 (HR 120). No hosp. Boards none.
Substance: THC vape qhs; EtOH 3-4/wk. Caffeine: 2 Celsius.
Family: father {relative:Wilfredo} bipolar I on Lithium; brother {relative:Efraín} OCD.
Social: barista at {employer:Seven Stars}; OnlyFans under {handle:@marsbar_xo}; partner {relative:Quinn}.
MSE: linear, mood "blah", affect full, no AVH. Beck 31.
Dx: F43.10, F41.0, r/o F90.0.
Plan: Prozac 10 x7 d then 20; prazosin 1 mg hs; hydroxyzine 25 prn; EKG, TSH, B12; TMS no. Call 988. RTC {date:3/30} \
11:30. Rx to {org:Walgreens #4418}, {street:Newport Ave}. Billing: 90792-95.
{clinician:Imani Enwerem-Phelps}, PMHNP-BC, NPI {registration:1144718820}""",
    ),
    (
        "palliative care note, Ireland",
        Patient("Hanratty^Eugene", date(1927, 3, 17), ("CPC-1188",), date(2021, 2, 1)),
        """Community Palliative Care - {org:Sliabh Gullion Hospice Homecare}
{date:01/02/21}, {holiday:St Brigid's Day}. Visit no. 6. {clinician:Mairéad Keaveney}, CNS, {phone:042 555 0199}
{patient:Eugene Hanratty} ({nickname:Hughie}), {age90:93}, dob {birth:17/03/27}, {street:Mullaharlin Rd}, \
{place:Haggardstown}. Ref {mrn:CPC-1188}

Ca pancreas with liver mets, Dx {month:Nov 2020} {facility:Louth County}. PPS 30%, AKPS 30, phase: deteriorating.
Symptoms IPOS: pain 2, nausea 3, constipation 1, Cheyne-Stokes overnight. T34 CSCI over 24 h: Oxynorm 20 mg, \
Levomepromazine 12.5 mg, Midazolam 5 mg, WFI to 22 mL; pump {serial:T34-118820}, site R upper arm day 2. BTD OxyNorm \
2.5 mg s/c x3. Cyclizine stopped. Fentanyl 25 mcg/h patch stays. Norton 9.
Present: wife {relative:Nancy} ({age90:91}), dtr {relative:Una} (on phone from {place:Luton}), son-in-law \
{relative:Malachy Byrne}, carer {clinician:Patience}. Fr {other:McGeough} anointed him {date:30/1}. He would like to \
be buried with his brothers in {place:Kilcurry}; {org:Quinn's} undertakers know. Talked of winning the {place:Louth} \
final in 1957 with {org:Dundalk Gaels}.
D/W GP Dr {clinician:Fearghal Toner}, {practice:Blackrock Health}, 12.40: DNAR, no transfer. Night nurse \
{date:2nd}+{date:3rd Feb}. Dr {clinician:Regina Cusack} aware.""",
    ),
    (
        "hospice visit, US",
        Patient("Throckmorton^Eula", date(1924, 11, 11), ("HSP20418",), date(2020, 1, 17)),
        """HOSPICE RN VISIT   {org:Blue Ridge Comfort Hospice}   {date:1/17/20}   in 1005 out 1110   mi 28
PT {patient:Eula Throckmorton}   ID {mrn:HSP20418}   {age90:95} yo F   Team {org:Cardinal}
Dx: Alzheimer's FAST 7d, PPS 30, MAC 19.5 cm (20.5 {date:12/20}). Recert 3rd BP {date:2/4}, F2F by \
{clinician:Marybeth Goins}, NP.
Vitals: 92/50, 58 irreg, 16, 97.1 ax, 91% RA. Ate 2 bites grits. Kennedy ulcer coccyx 3 x 4 cm, unstageable R heel. \
Foley 16 Fr/10 mL changed. Ativan 0.5 SL x1, Roxanol 5 mg x2 since {date:Wed 1/15}, Levsin, Senna-S 2 BID. Bowels \
{date:1/14}.
CG: dtr {relative:Fay Nell Dillard}, tired, son {relative:J.T.} over the road w/ {employer:Old Dominion Trucking}. \
Respite offered at {facility:Galax Manor} {date:1/20}–{date:1/25}. SW {clinician:Hope} to call. Chaplain Rev. \
{clinician:Tolliver} sang Amazing Grace.
Pastor: Bro. {other:Dwight}, {org:Fries Holiness Church}. Funeral home {org:Vaughan-Guynn}. Home: {street:Rte 2, Box \
118}, {place:Elk Creek}, VA. Phone {phone:276-555-0103}, key under churn. DNR # {id:VA-0118820}. O2 conc. \
{serial:EV5L-44718}, via {org:Lincare Hillsville}.
Next visit {date:Tues 1/21}, sooner prn. MD {clinician:Poindexter} notified, Keflex no. {clinician:Wanda Sue \
Catron}, RN CHPN""",
    ),
    (
        "midwifery antenatal note, UK",
        Patient("Osborne-Mensah^Abena", date(1992, 2, 20), ("4418827",), date(2023, 2, 21)),
        """Antenatal 34+3    {date:21/02/23}    {facility:Bellevue Birth Centre}    CMW {clinician:Sharon Pyke}, team \
phone {phone:07700 900 818}
{patient:Abena OSBORNE-MENSAH}    {birth:20.2.92}    {mrn:4418827}    EDD {date:01/04/23}    G3P1+1, LMP {date:25/6}

BP 128/84, urine trace prot, SFH 33 cm, ceph 3/5, FHR 142 Pinard + Doppler, FMs good. Hb 102 (Ferrous fumarate 210 \
bd), O Rh pos, GTT 5.3/8.1 → GDM, diet, BMs 4.9–6.8. GBS +ve in the last preg. Aspirin 150 stop 36/40. EPDS 9/30, \
Whooley neg. Anti-Kell neg; HbAS, partner {relative:Kwame} HbAA. MW to chase growth scan {date:27/2} (fetal med, Dr \
{clinician:Iwona Zielińska}).
Prev: EMCS {date:29 Sept 2019}, {facility:Royal Sussex East}, 7/10 cm OP, Kiwi failed, boy {relative:Kofi} 3.62 kg, \
Apgar 7/9. VBAC clinic Miss {clinician:Fotheringay}: 66% success, Bishop score at 40+.
Birth plan: pool, delayed clamp, doula {other:Sunniva}. Mum {relative:Comfort} flies from {place:Kumasi} {date:20/3}. \
{relative:Kofi} is at {school:Tiddlywinks}. Mat leave from {employer:Brighton Argus} {date:6 March}, MATB1 given \
{date:10/1}. Moved: now {street:31 Hollingdean Rise}, {postcode:BN1 9TT}; GP still {practice:Preston Circus}.
Next: 36/40, {date:Tue 7/3} 10:40. {initials:SP}""",
    ),
    (
        "labor and delivery note, US",
        Patient("Pham-Gallo^Kristen", date(1990, 3, 5), ("2218047",), date(2024, 1, 1)),
        """L&D DELIVERY NOTE
{patient:Kristen Pham-Gallo}  MRN {mrn:2218047}  {birth:03/05/1990}  {facility:Mercy Gilbertville}  LDR 6
33 y.o. G2P1001 at 39w2d by 8 wk US (EDD {date:1/6/24}), admitted {date:12/31/23} 2110 SROM clear. GBS neg \
{date:12/12}. AROM n/a. Epidural 0115 (Dr. {clinician:Toussaint}). Pit to 8 mU/min. Cat II: variables, amnioinfusion \
250. Complete 0722. SVD of viable F, {date:01/01/2024} 0803, OA, first baby of the year for {place:Clark County}! \
Nuchal x1. Shoulder dystocia 40 s: McRoberts, suprapubic, Rubin II; Woods not needed. Apgars 7/9. 8 lb 11 oz (3,940 \
g). Erb's sign neg, Moro symmetrical. Cord gas 7.24/-4. Placenta Schultze, 3 VC. 2nd degree, 2-0 & 3-0 Vicryl. QBL \
420. Pit 30 U. Credé no.
Baby {relative:Marlowe Lien}, ID band {id:88204-A}, MRN {mrn:2218051}. FOB {relative:Vincent Gallo} cut cord; MGM \
{relative:Hanh} present; sib {relative:Enzo} w/ friend {other:Maddie}. Feeding: breast, {clinician:Corinne}, IBCLC. \
HBV, EES, vit K done. Peds: {clinician:Sandeep Walia}, {practice:Sprouts Pediatrics}, phone {phone:702-555-0184}. \
Cord blood kit {id:CBR-0447188} courier {date:1/2} 1000. Press ({employer:KLVB News} is her work) photo declined.
Delivering: {clinician:Mónica Estévez}, CNM; backup {clinician:Harlan Webb}, MD. RN {clinician:Yesenia}, baby RN \
{clinician:Lisbeth}.""",
    ),
    (
        "device clinic, US",
        Patient("Blackfeather^Zona", date(1950, 12, 31), ("604418",), date(2019, 11, 5)),
        """PACEMAKER/ICD CLINIC    {date:11/05/2019}    {facility:Black Hills Heart Institute}, {place:Rapid City}
{patient:Zona Blackfeather}    DOB {birth:12/31/1950}    MRN {mrn:604418}    EP: {clinician:Stellan Nordquist}, MD
Device: Medtronic Claria MRI CRT-D DTMA1QQ, S/N {serial:RPE204418H}, implanted {date:03/28/2017} (gen change of \
Concerto {serial:PVR118204H}). Leads: RA 5076-52 {serial:PJN4471882}, RV 6935M-62 {serial:TDK204418V}, LV 4598-88 \
{serial:QUA118827V}. Recall none. Remote: CareLink monitor {serial:MCL044718}, paired, last sent {date:10/30}.
Interrogation by {clinician:Deb Lonetree}, RN: battery 4.1 y, 2.98 V. Thresholds RA 0.75 V @ 0.4, RV 1.0 @ 0.4, LV \
1.75 @ 0.8 (LV2-can). Impedance 456/418/627, HVB 64. P 2.1 mV, R 11.4 mV. AP 34%, BiVP 97.1%. AT/AF burden 0.2%. 1 VT \
{date:9/18} 14:22, CL 310 ms, ATPx1 success; she was at her grandson {relative:Tate}'s ball game at {school:Pine \
Ridge High}. OptiVol 38. Mode DDDR 60-130, PAV 130.
Exam: BP 112/64, HR 60 paced, weight 154 lb, pocket clean, Twiddler sign none, Kussmaul neg, trace edema. EKG: \
AS-BiVP, QRS 138 (was 172), R in V1. Strauss criteria LBBB in 2012. Labs: K 4.6, Cr 1.3, Mg 2.1, Hgb 12.2, BNP 288, \
AST 31, digoxin none. PFT DLCO 66%. Tachy: VF 200 bpm 30/40, ATP during charging, 35 J x6; VT 171 bpm, ATP x3 burst \
88%, 20 J; monitor 150. Wavelet 70%. HR variability 88 ms. Kansas City 66. Seattle model 5 y 71%. Wilkoff 94%.
Amio 200, Coreg 25 BID, Entresto 49/51. TSH 3.9, EF 35%. NYHA II.
Plan: remote {date:2/4/2020}; clinic 6 mo. IHS referral # {id:19-0044182}. Ride: {org:Oglala Transit}. Ph \
{phone:605-555-0128}, dtr {relative:LaVonne} {phone:605-555-0181}. No driving restriction. Letter cc \
{clinician:P. Iron Cloud}, PA, {practice:Kyle Health Station}.""",
    ),
    (
        "dialysis record, India",
        Patient("Deshpande^Vasant", date(1952, 1, 26), ("HD-118",), date(2020, 11, 9)),
        """HAEMODIALYSIS RECORD    {facility:Godavari Kidney Centre}, {place:Nashik}    Date {date:09-11-20}    Shift \
II (11.30 - 15.30)
Pt. {patient:Vasant Ramchandra Deshpande}  68/M  HD no. {mrn:HD-118}  Blood gp B +ve  HBsAg/HCV/HIV NR ({date:5/10/20})
Access: L BC AVF (Dr {clinician:Kulkarni}, {month:July 2018}), 16G x2. Dialyser F6 reuse 4/8, label {id:VRD-0447}. \
M/c no. {serial:FM4008-88204}.
Pre: wt 63.8 (dry 61.0), BP 170/90, P 84, T 98.2. Post: 61.4, BP 140/80. UF 2.4 L, Qb 250, Qd 500, Heparin 2000 + \
500/hr. URR 66%, Kt/V 1.3. Hb 8.6, K 5.9, PO4 6.1, iPTH 488, Ca 8.2.
Events: cramps at 14.10, UF off, 25% D 50 ml. Chvostek neg. Inj Epo 4000 U S/C, Inj Orofer 100 mg in 100 NS.
Half-hourly BP: 168/90, 160/86, 154/84, 150/80, 132/76, 140/80. VP 140, AP -160, TMP 90, temp 36.5, Na 138, bicarb \
32, conductivity 14.0. Acid: part A 1:34. Kussmaul resp nil, Lindsay nails +. AVF: thrill good, Allen neg, no steal, \
Trousseau neg. Bleed 8 min. Kt/V Daugirdas. SGA B, MIS 9, Karnofsky 70. S. albumin 3.4, ferritin 388, TSAT 22%. ECG: \
tall T in 2019, now N. Heparin lock NA. RO water TDS 12, endotoxin neg.
Rx: Tab Sevcar 800 1-1-1, Tab Amlong 10, Tab Arkamin 100 TDS, Shelcal, Cap Rocaltrol.
Dr {clinician:Manasi Joglekar} saw: dry wt 60.5. K bind. Low salt faral during {holiday:Diwali}! Next: \
{date:12-11-20}; {date:14-11-20} off, shift to {date:15th}.
Brought by nephew {relative:Sachin}, auto {plate:MH-15 EG 4471}; wife {relative:Sulabha} COVID + {date:1/11} at \
{facility:Bytco Covid Centre}, isolated at {street:Flat 7, Shree Swami Apts, Gangapur Rd}. MJPJAY case \
{id:T/04/2020/44718}. Ph {phone:0253 555 0146}. Tech: {clinician:Sagar}. Sister: {clinician:Lissy}.""",
    ),
    (
        "oral and maxillofacial letter, UK",
        Patient("Dumbleton^Ashley", date(2001, 7, 21), ("118-827",), date(2021, 9, 7)),
        """{facility:Severn Vale Max Fax}    {date:7th September 2021}    Ref: {initials:KO}/{initials:HJ}/{id:118-827}
Mr {clinician:B Patel}, {practice:Smile Stroud}, {street:11 Rowcroft}, {place:Stroud}

Dear Mr {clinician:Patel}

RE: {patient:Ashley DUMBLETON}, D.O.B. {birth:21.07.01}, {street:Hill Farm Cottage}, {place:Painswick}, {postcode:GL6 \
9ZZ}

This young man, a stonemason's apprentice with {employer:Cotswold Lime Co.}, was punched outside {org:The Prince \
Albert} on {date:Saturday 28 August}. He had a left parasymphysis and right angle fracture (through the 48) and an \
Ellis class II fracture of the 21. No Battle's sign, GCS 15. ORIF on {date:30 August} by my registrar, \
{clinician:Kavita Oommen}: Champy principle, 2.0 mm miniplates x3, 48 removed, Erich arch bar not used, Leonard \
buttons R/L. Co-amoxiclav 625 x 5/7, Corsodyl, Difflam.

At review on {date:6/9}: mouth opening 22 mm, occlusion good, ID numb left chin, House-Brackmann 1. OPG: well \
reduced. Sutures 4/0 Vicryl Rapide dissolving. Soft diet 6/52, no rugby for {org:Stroud Nomads} until \
{month:December}. Please see the 21 (EPT neg) and the 36 (ICDAS 5); Angle class II div 1.

Examination of the rest of the face: no Le Fort mobility, orbits and globes normal, Hertel 17/17, Hess chart full, no \
Guérin's sign, nose straight, Whitnall level. Stensen's and Wharton's ducts flow freely. Cone beam CT 0.2 mm voxel: \
condyles seated, Spiessl I, no Eagle change. BPE 1/1/2 1/2/1. Mallampati II. Weight 74 kg, down 3 kg; Fortisip tds. \
Frey's, Horner's no. PHQ-2 2. Glasgow 15. Tetanus 2016. Vitality: 11 pos, 21 neg, 22 pos. IMF elastics 3/16 inch, 4.5 \
oz.

Police statement asked for by PC {other:Lewin}, crime no {id:53/204418/21}. His mother {relative:Julie} ({phone:01632 \
960 067}) manages his dates. Review {date:5 October}.

Yours sincerely
{clinician:Konrad Oberhauser}, Consultant, GDC {registration:188204}""",
    ),
    (
        "GP consultation record, Australia",
        Patient("Haines^Tamsin", date(1978, 4, 25), ("882",), date(2022, 4, 26)),
        """Surgery consultation, {date:Tuesday April 26 2022} 11:42:18
Dr {clinician:Faizal Hashmi}, {practice:Derwent Park Doctors}
{patient:Tamsin Haines}, {birth:25/4/78}, file {mrn:882}, Medicare {insurance:6044 18827 1}

Reason for contact: R knee, repeats, MHTP review
Twisted R knee dancing at own birthday / {holiday:Anzac} eve do at {org:Bellerive Bowls}. Clicks, no lock. Effusion \
sl, McMurray + med, Lachman -, Ottawa neg. ROM 0-125.
Mood: K10 22 (31 in {month:Feb}), sees psych {clinician:Oriel Stanhope} 7/10 visits. Ex ({relative:Dale}) moved to \
{place:Burnie}, AVO lapsed {date:31/3}. DASS 14/8/18. Sleep 6 h. Sertraline 100. ETOH 8 sd/wk. Nil SI. Boys \
{relative:Hamish} & {relative:Angus} (both {school:Claremont High}) ok.
CST 2020 neg, Implanon out 2019. Wt 81.5 kg, BP 124/78, waist 94. BSL 5.4. Scoliosis, Cobb 12.
Exam: HR 72, BP 124/78, BMI 29.1, sats 98%. R knee: Thessaly +, Apley +, Clarke's +, Baker's none, J sign neg, quads \
4+/5, Q angle 16. L normal. Hip log roll ok, FABER neg. Heberden's early R index. Skin: Campbell de Morgan spots, no \
SCC. AUSDRISK 9, CVD risk 2%. FBE N, ferritin 31, TSH 1.4, Vit D 48, HbA1c 5.3. Medicare items 23, 2713. Panadol \
Osteo 665 x2 tds. Nurofen prn.
Actions: XR knee {org:Regional Imaging Moonah}, Mobic 15 mg 30 tabs, physio EPC x5 {clinician:Bec} at \
{practice:Glenorchy Physio}. Script: Zoloft 100 mg daily 30 rpt 5, authority {id:0044718}; Vit D. Certificate for \
{employer:Nyrstar}: {date:26/4}–{date:29/4}. WC? no. COVID booster 3 {date:18/1}, Spikevax.
Recall BP 6/12. SMS consent {phone:0491 575 789}. MHR upload yes; IHI {insurance:8003 6044 1882 7001}.""",
    ),
    (
        "death summary, South Africa",
        Patient("Oosthuizen^Cornelius", date(1928, 5, 31), ("0088214",), date(2020, 7, 21)),
        """DEATH SUMMARY / BI-1663 COMPLETED
{facility:Karoo Provincial Hospital}, {place:Graaff-Reinet}    {date:21 July 2020}
Patient: {patient:Cornelius Johannes OOSTHUIZEN} ("Oom {nickname:Neels}")    Folder {mrn:0088214}    ID \
{id:2805315044088}    {age90:92} M
Admitted {date:2020-07-12}    Died {date:2020-07-20} at 03h50    Certified by Dr {clinician:Athi Mqoboka}

Background: retired sheep farmer, {street:Farm Rietvlei}, district {place:Aberdeen}; HT, Paget's disease of bone, AF \
on Warfarin, Mini-mental 19/30. Widower of {relative:Hester}. Contact of a COVID case at {facility:Huis Van de \
Graaff} (room-mate Mr {other:Lötter}).
Course: SARS-CoV-2 PCR + {date:11/7} ({id:EPO04418827}). Sats 78% RA, RR 32, HR 118, CRP 244, LDH 812, D-dimer 6.1, \
urea 22, creat 188 (KDIGO 2), INR 4.9, Trop 88. CXR: bilat. Rx O2 60% Venturi → 15 L NRB, dexamethasone 6 mg, \
Augmentin 1.2 g, vit K 5 mg, Perfalgan. Not for ICU (CFS 7), agreed by phone with daughter {relative:Marietjie de \
Beer}, {place:George}, {phone:044 555 0117}. Morphine 5 mg + Dormicum 10 mg / 24 h from {date:18/7}. Ds \
{other:Fouché} prayed via cellphone, {date:19/7}.
Exam on admission: T 38.6, GCS 14, BP 102/58, Kussmaul resp nil, JVP flat, bilateral crackles, no oedema, Heberden's \
nodes, bowed tibia (Paget's). ABG 60% O2: pH 7.31, pCO2 4.1, pO2 6.9, HCO3 17, lactate 4.2, P/F 86. WCC 14.4 L 0.4, \
Hb 12.8, Plt 122, Na 149, K 5.6, Ferritin 2 210, Trop as above, PCT 1.4. ALP 418. ECG AF 122, Cornell LVH. HGT 9.8. \
NEWS 11, qSOFA 3, 4C score 18, Charlson 6, Norton 10. Proned 2 h, failed. Sacral sore grade 2, Mepilex. Catheter 16F.
Cause: 1(a) COVID-19 pneumonia U07.1; 2 HT, CKD.
Undertaker {org:Avbob}; cremation form by Dr {clinician:L. Hugo}, MP {registration:0441188}. Effects (wedding \
ring, Bible, R140) signed by grandson {relative:Neels} jnr, car {plate:CBR 118 EC}. DHA notice no. {id:A \
4471882}. Kin informed 04h20 by Sr {clinician:Jantjies}.""",
    ),
    (
        "on-call handover, UK, telegram style",
        Patient("Tunnicliffe^Bernard", date(1941, 6, 6), ("660418",), date(2022, 11, 13)),
        """{date:Sun 13/11} night → day, med reg {clinician:Ola} to {clinician:Freddie}
AMU {ward:Tern} b4 {patient:B Tunnicliffe} 81 {mrn:660418}, came from {facility:Ashgrove NH}, {place:Leek}
UGIB, GBS 12, Rockall pre 4. Hb 68 → 3u → 81. Plt 94, INR 1.6, urea 24, lact 3.1 → 1.8. Terlipressin 2 mg qds, \
Tazocin, Pabrinex I+II tds, PPI no. Sengstaken in fridge ITU.
OGD 08:30 Dr {clinician:Meenu Jolly} (bleep {phone:2177}, home {phone:01632 960 905}), anaes {clinician:Big Dave} \
aware. Theatre 2. Consent 1 signed? CF4 pls; lacks capacity since 0200 (West Haven 2).
Ex-publican, {employer:The Black Lion}. EtOH 60 u/wk till {month:June}. CP-B8. Hepatologist Prof \
{clinician:Adderley-Shah} {facility:Stoke}. Last banding {date:14 Oct}, Histoacryl no.
DNAR disc w wife {relative:Glad} + stepson {relative:Clive Booth} {phone:07700 900 390}: for theatre, for ITU 1 \
organ, ok.
Jobs: rpt FBC 06:00 (label {id:W2204418}), G&S valid til {date:15/11}, ECG, ascitic tap. X-match {id:BT-88204}. Ring \
{clinician:Paula} bed mgr {phone:5050}.
Hx: pacemaker {serial:ADDRL1-4418}, card in wallet. PD? no, ET. Hodgkins 1979 mantle.
PS pt's bro {relative:Cyril} in {ward:Plover} bay 2, don't mix bloods!""",
    ),
]
