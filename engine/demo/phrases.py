"""The words of made-up radiology reports, by what they say."""

from typing import Final

PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "drain": (
        "A {side} chest tube is in place.",
        "{Side}-sided chest drain in situ.",
        "{Side} chest tube with its tip projecting over the {side} hemithorax.",
        "A {side} thoracostomy tube is present.",
        "Interval placement of a {side} chest tube.",
        "There is a {side} intercostal drain.",
        "{Side} pleural drain remains in position.",
    ),
    # a department mostly writes what its template says, so the first wording stands more than once
    "no drain": (
        "No chest drain.",
        "No chest drain.",
        "No chest drain.",
        "There is no chest drain in place.",
        "No chest tube is seen.",
        "No thoracostomy tube.",
    ),
    "no devices": (
        "No chest drain, line or tube.",
        "No chest drain, line or tube.",
        "No chest drain or other device.",
        "No lines or tubes.",
        "There are no lines, tubes or drains.",
    ),
    "leads": (
        "ECG leads overlie the chest.",
        "Overlying monitoring leads.",
        "Telemetry leads project over the thorax.",
        "External cardiac leads are noted.",
    ),
    "pacemaker": (
        "Left chest wall pacemaker with leads in expected position.",
        "A left-sided cardiac pacemaker is noted.",
        "Left subclavian pacing device, leads intact.",
    ),
    "tube": (
        "Endotracheal tube tip above the carina.",
        "ETT in satisfactory position.",
        "The patient is intubated; the endotracheal tube ends above the carina.",
    ),
    "gastric_tube": (
        "Nasogastric tube courses below the diaphragm.",
        "Enteric tube with its tip in the stomach.",
        "NG tube tip projects over the left upper quadrant.",
    ),
    "line": (
        "{Side} central venous line with its tip over the SVC.",
        "{Side} central venous catheter ends in the superior vena cava.",
        "{Side} central line in standard position.",
    ),
    "pneumothorax small": (
        "Small {side} pneumothorax.",
        "A thin visceral pleural line is seen at the {side} apex, in keeping with a small pneumothorax.",
        "There is a small {side} apical pneumothorax.",
        "Probable small {side} pneumothorax.",
        "Tiny {side} pneumothorax.",
    ),
    "pneumothorax large": (
        "Moderate {side} pneumothorax.",
        "There is a {side} pneumothorax with partial collapse of the lung.",
        "Moderate to large {side} pneumothorax without definite shift.",
        "{Side} pneumothorax; the visceral pleural edge is clearly seen.",
    ),
    "no pneumothorax": (
        "No pneumothorax.",
        "There is no pneumothorax.",
        "No evidence of pneumothorax.",
        "No pneumothorax is identified.",
        "Negative for pneumothorax.",
    ),
    "effusion small": (
        "Small {side} pleural effusion.",
        "Blunting of the {side} costophrenic angle, consistent with a small effusion.",
        "Trace {side} pleural fluid.",
        "There is a small {side} effusion.",
    ),
    "effusion large": (
        "Moderate {side} pleural effusion with adjacent atelectasis.",
        "Large {side} pleural effusion.",
        "A moderate to large {side} effusion obscures the hemidiaphragm.",
    ),
    "no effusion": (
        "No pleural effusion.",
        "The costophrenic angles are sharp.",
        "No effusion is seen.",
        "Pleural spaces are free of fluid.",
    ),
    "consolidation": (
        "{Zone} zone consolidation on the {side}, concerning for pneumonia.",
        "Patchy airspace opacity in the {side} {zone} zone.",
        "{Side} {zone} zone opacity may represent infection or aspiration.",
        "Focal consolidation in the {side} {zone} lung.",
    ),
    "clear": (
        "The lungs are clear.",
        "Lungs are clear bilaterally.",
        "No focal consolidation.",
        "No airspace disease.",
        "The lungs are well aerated without focal opacity.",
    ),
    "nodule": (
        "A nodular opacity projects over the {side} lung.",
        "{Side} pulmonary nodule; CT is advised.",
        "Rounded {side} lung nodule, not calcified.",
    ),
    "cardiomegaly": (
        "The heart is enlarged.",
        "Cardiomegaly.",
        "Enlarged cardiac silhouette.",
        "Cardiac size is above the upper limit of normal.",
    ),
    "heart normal": (
        "Heart size is normal.",
        "Cardiomediastinal silhouette is within normal limits.",
        "Normal heart and mediastinum.",
        "The cardiac contour is unremarkable.",
    ),
    "shallow": (
        "Low lung volumes.",
        "Shallow inspiration with crowding of the vessels.",
        "Inspiratory effort is poor.",
    ),
    "rotated": ("The patient is rotated.", "Rotated film.", "Patient rotation limits assessment."),
    "bones": (
        "No acute osseous abnormality.",
        "Visualised bones are intact.",
        "Mild degenerative change of the spine.",
        "Osseous structures are unremarkable.",
    ),
    "view PA": ("PA view of the chest.", "Frontal chest radiograph.", "Erect PA chest film."),
    "view AP": ("Portable AP view of the chest.", "AP erect chest film.", "Single portable AP radiograph."),
    "view AP supine": ("Supine AP view of the chest.", "Portable supine film.", "AP supine chest radiograph."),
    "indication": (
        "Shortness of breath.", "Cough.", "Chest pain.", "Fever.", "Follow-up.", "Preoperative assessment.",
        "Fall.", "Hypoxia.", "Post-procedure.", "Trauma.", "Weight loss.",
    ),
    "comparison": ("None.", "None available.", "Prior study of the previous day.", "Older film, no report."),
    "normal": (
        "No acute cardiopulmonary process.",
        "No acute cardiopulmonary abnormality.",
        "Normal chest radiograph.",
        "No active disease.",
        "Unremarkable study.",
    ),
    "stable": ("Otherwise unremarkable.", "No other acute finding.", "Clinical correlation advised."),
}  # fmt: skip
