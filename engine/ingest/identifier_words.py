"""The words by which columns name people, their records and their dates, language by language.

Sources: the identifiers of HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i)(A) to (R); the keywords of people, records and
dates in the basic profile of DICOM PS3.15 (table E.1-1); the numbers that health systems give their patients.

Not listed, as audits are made by them: years and ages, sex, times of the day, hospitals, departments and devices (with
their serial numbers, which tell a scanner and no patient), codes of readers. Cities and counties are listed where they
are the patient's.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Language:
    """Phrases, separated by commas, without accents and in lower case.

    `identifiers` name a person or a record. A word of `dates` beside one of `events` names a full date of a patient.
    `people`: words that say whose name or address it is.
    """

    identifiers: str
    dates: str = ""
    events: str = ""
    people: str = ""


ALIASES: Final = {
    "patient": "pat pt subject person participant individual patiente patienten patientin paciente paziente hasta "
    "hastanin",
    "number": "no nos nr num numbers nummer numero numeros numara numarasi nro",
    "id": "ids identifier identifiers identification ident identifiant identificador identificacion identificativo "
    "kennung",
    "physician": "physicians doctor dr",
    "operator": "operators",
}
"""Words (left) and others that mean the same (right)."""

FILLERS: Final = (
    "a and d da das de del della der des di die do du e el et for het l la las le les los of s the u und van y"
)
PEOPLE: Final = """
    patient, first, last, middle, family, given, full, prefix, suffix, home, work, private, primary,
    secondary, mother, mothers, father, parent, guardian, spouse, partner, relative, contact, emergency, insured,
    physician, radiologist, technologist, technician, operator, reader, reviewer, observer, author, referring,
    performing, requesting, attending, ordering, consulting, verifying, scheduled, owner, human, performer,
    clinical, trial, other,
    number, id, dicom
"""
"""Words that stand beside a phrase of any language and leave its meaning."""
BESIDE_OURS: Final = "patient, number, id, unique, clinical, trial, dicom"
OF_DATES: Final = (
    "start, end, stop, begin, step, time, performed, scheduled, arrival, completion, read, recent, local, utc"
)
BARE_DATES: Final = "date, datetime, date time, timestamp, datum, fecha, tarih, tarihi"
"""Dates that do not say of what: in a table of images, of the image."""

STUDY_IDS: Final = "study id, study uid, study instance uid, exam id, exam uid, examination id, examination uid"
SAMPLE_IDS: Final = "sample id, sample uid, sop instance uid, image uid"
PATIENT_IDS: Final = """
    patient id, id patient, patient number, number patient, patient code, patient key, patient uid, pid, ptid, empi,
    study patient id, study subject number
"""
UIDS_OF_STANDARDS: Final = frozenset({"class", "syntax", "scheme"})
"""Beside `uid`, these name what DICOM calls a UID and is no identifier, such as SOPClassUID."""

LANGUAGES: Final = {
    "English": Language(
        """
        name, names, first name, last name, middle name, given name, family name, full name, maiden name, birth name,
        mothers birth name, other names, surname, surnames, forename, forenames, initials, birth, birth date,
        date of birth, birth day, birth month, birth time, dob, birth place, place of birth, date of death, death date,
        ssn, social security, social security number, mrn, medical record, medical record number,
        medical record locator, record number, record id, chart number, hospital number, nhs, nhs number, chi number,
        national id, national insurance, national insurance number, ni number, identity number, identity card, nric,
        aadhaar, uhid, insurance number, insurance id, insurance plan id, health plan number, health plan id,
        health card number, policy number, member id, member number, subscriber id, subscriber number, beneficiary id,
        beneficiary number, medicare number, medicare id, medicaid number, medicaid id, address, street,
        street address, home address, zip, zip code, post code, postal code, residence, patient city, home city,
        patient county, patient town, latitude, longitude, gps,
        geocode, phone, phone number, telephone,
        telephone number, telephone numbers, mobile number, mobile phone, cell phone, contact number, fax, fax number,
        email, email address, e mail, mail, account number, account id, certificate number, license number,
        licence number, drivers license, drivers licence, driver license, driver licence, license plate, licence plate,
        vehicle id, ip address, implant serial, implant serial number, pacemaker serial, pacemaker serial number,
        passport, passport number, fingerprint, accession, accession number, case id, case number, encounter id,
        encounter number, admission id, admission number, hadm id, stay id, episode id, service episode id, visit id,
        order id, order number, placer order number, filler order number, requisition number, requested procedure id,
        scheduled procedure step id, performed procedure step id, specimen accession number, referring
        physician, performing physician, requesting physician, physician name,
        referring physician name, performing physician name, operator name, operators name, physicians of record,
        name of physicians reading study, content creator name, responsible person, next of kin, emergency contact,
        other ids, other patient ids
        """,
        "date, datetime, timestamp, dt",
        """
        study, exam, examination, scan, series, image, imaging, acquisition, content, instance creation, visit,
        encounter, admission, admit, admitting, discharge, procedure, surgery, operation, biopsy, treatment, therapy,
        diagnosis, appointment, service, report, reporting, review, interpretation, order, observation, frame,
        menstrual, x ray, radiograph, mammogram, film, photo, capture,
        collection, sample, specimen, hospitalization, index, baseline, follow up, enrollment, enrolment, death, birth
        """,
        "patients, subjects",
    ),
    "German": Language(
        """
        nachname, vorname, vornamen, familienname, geburtsname, rufname, zuname, madchenname, geburtsdatum, geburtstag,
        geburtsort, geboren, gebdat, geb datum, versichertennummer, versicherten number, versicherungsnummer,
        krankenversicherungsnummer, sozialversicherungsnummer, svnr, sv number, kvnr, ahv number, fallnummer,
        fall number, fall id, aufnahmenummer, auftragsnummer, untersuchungsnummer, ausweisnummer, personalausweis,
        anschrift, adresse, strasse, hausnummer, wohnort, plz, postleitzahl, telefon, telefonnummer, tel, handynummer,
        mobilnummer, hausarzt, einweiser
        """,
        "datum, zeitpunkt",
        """
        untersuchung, untersuchungs, studie, studien, aufnahme, entlassung, entlassungs, besuch, besuchs, tod, todes,
        sterbe, operation, operations, op, behandlung, behandlungs, befund
        """,
        "arzt, arztin, mutter, vater, angehorige, hausarzt",
    ),
    "French": Language(
        """
        nom, noms, prenom, prenoms, nom de naissance, nom de famille, nom usuel, nom marital, nom de jeune fille,
        nom complet, date de naissance, date naiss, naissance, ddn, lieu de naissance, ipp, iep, nir,
        securite sociale, numero de securite sociale, secu number, numero de dossier, numero de sejour,
        numero de venue, numero d examen, carte vitale, adresse, rue, code postal, telephone, tel, courriel,
        medecin traitant
        """,
        "date, horodatage",
        "examen, etude, admission, entree, sortie, deces, sejour, acquisition, visite, consultation, seance",
        "medecin, mere, pere, assure, prescripteur",
    ),
    "Spanish": Language(
        """
        nombre, nombres, apellido, apellidos, primer apellido, segundo apellido, nombre completo, nombre y apellidos,
        fecha de nacimiento, fecha nac, nacimiento, lugar de nacimiento, dni, nie, nif, nss, curp, seguridad social,
        numero de seguridad social, nhc, historia clinica, numero de historia, numero de historia clinica,
        tarjeta sanitaria, cedula, pasaporte, direccion, domicilio, calle, codigo postal, telefono, correo,
        correo electronico
        """,
        "fecha",
        "estudio, examen, exploracion, ingreso, alta, defuncion, fallecimiento, visita, adquisicion, consulta, informe",
        "medico, madre, padre, pacientes, primer, segundo",
    ),
    "Italian": Language(
        """
        nome, cognome, nome e cognome, data di nascita, nascita, luogo di nascita, codice fiscale, codice sanitario,
        tessera sanitaria, cartella clinica, numero cartella, numero cartella clinica, indirizzo, residenza,
        codice postale, telefono, cellulare
        """,
        "data",
        "esame, studio, ricovero, dimissione, decesso, visita, accesso, acquisizione, referto",
        "medico, madre, padre, pazienti",
    ),
    "Portuguese": Language(
        """
        nome, sobrenome, nome completo, data de nascimento, nascimento, cpf, prontuario, numero do prontuario,
        cartao sus, endereco, rua, codigo postal, telefone, celular
        """,
        "data",
        "exame, estudo, internacao, alta, obito, consulta, aquisicao, laudo",
        "medico, mae, pai",
    ),
    "Turkish": Language(
        """
        ad\u0131, isim, soyadi, soyad, soyisim, ad soyad, adi soyadi, patient adi, tc kimlik, tc kimlik no, tc
        no, kimlik no,
        dogum tarihi, dogum yeri, adres, adresi, telefon, telefonu, dosya no, protokol no
        """,
        "tarih, tarihi",
        "tetkik, cekim, muayene, yatis, taburcu, olum, dogum, kabul, islem, rapor",
        "doktor, hekim, anne, baba",
    ),
    "Dutch": Language(
        """
        naam, voornaam, achternaam, familienaam, geboortedatum, geboortenaam, geboorteplaats, bsn,
        burgerservicenummer, adres, straat, huisnummer, woonplaats, telefoon, telefoonnummer
        """,
        "datum",
        "onderzoek, onderzoeks, opname, ontslag, overlijden, overlijdens",
        "arts, huisarts, moeder, vader",
    ),
    "Polish": Language("imie, nazwisko, imie i nazwisko, pesel, data urodzenia, adres, telefon", "data", "badania"),
    "Nordic": Language(
        "fornavn, fornamn, efternavn, etternavn, efternamn, personnummer, fodselsnummer, fodselsdato, cpr number, "
        "henkilotunnus"
    ),
}
"""Turkish `ad\u0131` (name) keeps its dotless i, for ADI is an index of deprivation."""
