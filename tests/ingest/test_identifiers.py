"""Which names of columns tell who somebody is, in the languages that are known, and which only seem to."""

import pytest

from misread.formats.dicom_fields import TAKEN
from misread.formats.findings import snake
from misread.formats.profile import BASIC_PROFILE
from misread.ingest.identifiers import Told, told_by

IDENTIFIERS = """
name; Name of patient; name_of_patient; patient_name; PatientsName; pat_name_1; patientNameFirst; patientname_first;
PATIENTNAME; first name; lastName; familyname; mothersbirthname; Middle-Name; DOB; DoB; patient.dob; Date of Birth;
dateofbirth; birthdate; PatientBirth; date_of_death; e-mail; eMail; phone_number; mobile_phone; Tel.; fax no; zip;
home_address; patient_city; MRN; mrn_no; medicalrecord; hospital number; NHS; nhs_no; NHSNumber; ssn; SSN2;
insurance id; driverslicence; accessionno; AccessionNumber; case_no; hadm_id; encounter-id; referringphysicianname;
operators name; reader_name; SeriesInstanceUID; FrameOfReferenceUID; ip address; gps; other_patient_ids; Nachname;
Vorname; Geburtsdatum; Geburtsname; Geb.-Datum; Versichertennummer; Versicherten-Nr.; Fallnummer; Fall-Nr.; Anschrift;
Strasse; Straße; STRASSE; STRAẞE; Straße Nr.; PLZ; Telefon; Patientenname; Name des Patienten; Nom; Prénom; prenom2;
PRÉNOM; nom_patient; nom du médecin; date de naissance; IPP; NIR; numéro de sécurité sociale; Num Sécu; adresse;
téléphone; Apellido; Apellidos; Apellido(s); Nombre; nombre_paciente; fecha de nacimiento; DNI; NIE; NSS; dirección;
teléfono; NHC; Nº historia clínica; Cognome; Nome e cognome; data di nascita; codice fiscale; Soyad\u0131; SOYADI;
Ad\u0131; HASTA ADI; hastan\u0131n ad\u0131; TC Kimlik No; TCKimlikNo; T.C. Kimlik No; doğum tarihi; DOĞUM TARİHİ;
CPF; data de nascimento; voornaam; geboortedatum; BSN; Imię; Nazwisko; PESEL; fødselsnummer
"""
DATES = """
study_date; StudyDate; STUDYDATE; StudyDate_DICOM; date; Date/Time; timestamp; AcquisitionDateTime; exam_dt; examdate;
PerformedProcedureStepStartDate; admission date; date_of_discharge; last visit date; Untersuchungsdatum;
Datum der Untersuchung; Aufnahmedatum; date d'examen; fecha_estudio; data esame; tetkik tarihi; opnamedatum
"""
PATIENTS = """
PatientID; Patient ID; PatID; pid; ptid; patient_nr; patient no; PATNO; Patient's ID; N° patient; numéro de patient;
Patienten-ID; Patientennummer; hasta no; id_paciente; subject_id; SubjectID; participant_id; person_id; patient code
"""
OTHERS = """
patient; patient_age; age; sex; PatientSex; birth_year; study_year; StudyYear; study_month; birth_weight; death;
deceased; n_patients; num_patients; number_of_patients; nombre_patients; Pathology; pathname; filename; file_name;
original_name; device_name; hospital; hospital_name; hospital_id; site; site_id; department; organization_name;
station_name; scanner model name; Manufacturer's Model Name; Nominal kVp; finding_name; view_name; region_name;
class_name; nomenclature; namespace; IPPV; mobile; ADI; adi_natrank; AD; NIRS; CAP; TC; no_finding; No Finding; id;
row; number; case; case_type; data; data_set; image_data; study_data; exam_data; patient_data; study; study_name;
study_number; visit_number; series_number; InstanceNumber; image_id; image_path; calibration_date; software_date;
label_date; days_since_study_date; age_at_study_date; exposure_time; study_time; SOPClassUID; TransferSyntaxUID;
device_serial_number; reader_id; insurance; insurance_type; admission_type; discharge_disposition; race; ethnicity;
smoking_status; protocol_name; addressed; street_view; phone_model; birth_order; follow_up; Follow-up #; record;
account; license; fall; operation; nodule
"""
PEOPLE_OF_DICOM = """
    AccessionNumber AcquisitionDate AdmissionID AdmittingDate ConsultingPhysicianName ContentCreatorName ContentDate
    DischargeDate FrameOfReferenceUID InstanceCreationDate InsurancePlanIdentification MedicalRecordLocator
    NameOfPhysiciansReadingStudy OperatorsName OtherPatientIDs OtherPatientNames PatientAddress PatientBirthDate
    PatientBirthName PatientBirthTime PatientID PatientMotherBirthName PatientName PatientTelephoneNumbers
    PerformedProcedureStepID PerformingPhysicianName PersonName PhysiciansOfRecord ReferringPhysicianAddress
    ReferringPhysicianName ReferringPhysicianTelephoneNumbers RequestedProcedureID RequestingPhysician
    ResponsiblePerson ReviewerName ScheduledPerformingPhysicianName SeriesDate SeriesInstanceUID SOPInstanceUID
    SpecimenAccessionNumber StudyDate StudyID StudyInstanceUID
""".split()  # noqa: SIM905 - as a list it takes forty lines


def listed(names: str) -> list[str]:
    return [name for part in names.split(";") if (name := " ".join(part.split()))]


@pytest.mark.parametrize(
    ("names", "expected"), [(IDENTIFIERS, "identifier"), (DATES, "date"), (PATIENTS, "patient_id"), (OTHERS, None)]
)
def test_what_names_tell(names: str, expected: Told | None) -> None:
    """A name is told by its words, in any case, order and spelling; names that only hold such a word are not."""
    assert {name: told for name in listed(names) if (told := told_by(name)) != expected} == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("StudyInstanceUID", "study_id"), ("StudyID", "study_id"), ("exam id", "study_id"),
        ("SOPInstanceUID", "sample_id"), ("SampleID", "sample_id"),
    ],
)  # fmt: skip
def test_our_ids_in_another_spelling(name: str, expected: Told) -> None:
    """They are told as what they are, so that they can be renamed."""
    assert told_by(name) == expected


def test_a_name_is_one_whatever_its_spelling() -> None:
    """Case, separators, digits and Unicode forms change nothing, nor does a word that says whose name it is."""
    for name in ("date of birth", "prénom", "patient no", "study instance uid", "soyad\u0131"):
        for spelled in (name.upper(), name.title(), name.replace(" ", "_"), f" {name}.1", f"dicom {name}"):
            assert told_by(spelled) == told_by(name), spelled
    assert told_by("pre\N{COMBINING ACUTE ACCENT}nom") == "identifier"
    assert told_by("") is None
    assert told_by("\u5e74\u9f62") is None


def test_dicom() -> None:
    """Its keywords for people, records and dates of patients are known; what its reader stores is left alone."""
    assert set(PEOPLE_OF_DICOM) <= BASIC_PROFILE
    assert [keyword for keyword in PEOPLE_OF_DICOM if told_by(keyword) is None] == []
    assert [keyword for keyword in TAKEN if told_by(keyword) or told_by(snake(keyword))] == []
    assert [keyword for keyword in BASIC_PROFILE if told_by(keyword) != told_by(snake(keyword))] == []
