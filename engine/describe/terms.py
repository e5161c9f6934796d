"""Terms of chest radiology, each with the other ways in which reports write it."""

from collections.abc import Mapping

_LINES = """
# views and positions
AP view: AP, AP portable, anteroposterior, AP projection, AP chest, AP erect, AP supine, AP semi-erect
PA view: PA, posteroanterior, PA projection, PA chest, PA erect
lateral view: lateral, lateral projection, lateral radiograph
portable: portable film, portable radiograph, portable chest, bedside, mobile, portable AP
supine: supine film, supine position, supine view, supine radiograph, semi-supine
erect: upright, erect film, erect position, semi-erect, semi-upright
# quality
rotation: rotated, patient rotation, rotated film, patient is rotated, rotated patient
low lung volumes: low lung volume, shallow inspiration, poor inspiration, poor inspiratory effort, hypoinflation,
  hypoinflated, low volumes, small lung volumes, inspiratory effort is poor, underinflated, suboptimal inspiration
hyperinflation: hyperinflated, hyperexpanded, hyperexpansion, hyperaeration, flattened diaphragms, emphysematous
underexposed: underpenetrated, underpenetration, under-penetrated, underexposure
overexposed: overpenetrated, overexposure
motion artefact: motion artifact, motion, motion blur, respiratory motion
limited study: limited examination, limited exam, suboptimal, limited evaluation, technically limited
# devices
chest drain: chest tube, chest tubes, chest drains, thoracostomy tube, thoracostomy, intercostal drain, pleural drain,
  pigtail catheter, pleural catheter, intercostal catheter, drain, drains
endotracheal tube: ETT, ET tube, endotracheal, intubated, intubation
tracheostomy: tracheostomy tube, tracheostomy cannula
gastric tube: nasogastric tube, NG tube, enteric tube, orogastric tube, feeding tube, nasogastric, Dobhoff tube,
  OG tube, NGT
central line: central venous line, central venous catheter, CVC, central catheter, PICC, PICC line, venous catheter,
  jugular line, jugular catheter, subclavian line, subclavian catheter, port-a-cath, portacath, catheter, Hickman line
pacemaker: cardiac pacemaker, pacing device, pacemaker leads, pacer, ICD, defibrillator, AICD, pacing leads,
  cardiac device, generator
monitoring leads: ECG leads, EKG leads, cardiac leads, telemetry leads, monitor leads, external leads, leads,
  electrodes, overlying leads, external cardiac leads
sternal wires: sternotomy, sternotomy wires, median sternotomy, sternal sutures
surgical clips: clips, clip, surgical clip, surgical sutures, staples, suture
implanted device: medical device, implants, implant, hardware, orthopedic hardware, prosthesis, arthroplasty, stent,
  spinal fusion, fixation hardware, stimulator
device: devices, lines, tubes, support device, support devices, line, tube
foreign body: foreign bodies, bullet, shrapnel, metallic fragment, radiopaque foreign body
# findings
pneumothorax: pneumothoraces, visceral pleural line, visceral pleural edge, collapsed lung
pleural effusion: pleural effusions, effusion, effusions, pleural fluid, costophrenic angle blunting,
  blunting of the costophrenic angle, blunted costophrenic angle, pleural spaces, hydrothorax, hydropneumothorax,
  blunting
pleural thickening: pleural thickenings, pleural plaque, pleural plaques, pleural scarring, apical thickening,
  apical capping
consolidation: consolidations, airspace consolidation, focal consolidation, airspace opacity, airspace opacities,
  airspace disease, air space disease, lobar consolidation, airspace infiltrate
pneumonia: infection, infectious process, bronchopneumonia, pneumonitis
opacity: opacities, opacification, opacified, density, densities, infiltrate, infiltrates, haziness
ground glass opacity: ground glass, ground-glass opacities, ground-glass, ground glass opacities
atelectasis: atelectases, atelectatic change, atelectatic changes, bibasilar atelectasis, subsegmental atelectasis,
  discoid atelectasis, platelike atelectasis, plate-like atelectasis, lung collapse, volume loss
pulmonary edema: edema, oedema, pulmonary oedema, interstitial edema, vascular congestion, pulmonary congestion,
  congestion, fluid overload, pulmonary vascular congestion, heart failure, congestive heart failure, CHF
interstitial disease: interstitial markings, interstitial opacities, interstitial lung disease, reticular opacities,
  interstitial prominence, interstitial thickening, interstitial changes, reticulonodular
fibrosis: pulmonary fibrosis, fibrotic change, fibrotic changes, fibrotic, honeycombing
emphysema: COPD, chronic obstructive pulmonary disease, obstructive disease, bullous disease, bullae, bulla
scarring: scar, scars, cicatrix, scarring in the lung, linear scarring, parenchymal scarring
granuloma: granulomas, calcified granuloma, calcified granulomas, granulomatous disease, granulomata
calcification: calcifications, calcified, calcific, calcinosis, calcified nodule
nodule: nodules, lung nodule, pulmonary nodule, nodular opacity, nodular density, nodular, pulmonary nodules
mass: masses, lung mass, mass lesion, tumor, tumour, neoplasm, malignancy, metastasis, metastases, metastatic disease
hernia: hiatal hernia, hiatus hernia, diaphragmatic hernia
cardiomegaly: enlarged heart, heart is enlarged, heart size is enlarged, enlarged cardiac silhouette, heart enlarged,
  cardiac enlargement, enlarged heart size, cardiac silhouette is enlarged, cardiac size is above,
  enlargement of the heart, enlarged cardiomediastinal silhouette, heart is mildly enlarged,
  heart is large, enlarged cardiac contour
normal heart: heart size is normal, normal heart size, heart is normal, heart size normal, normal cardiac silhouette,
  heart size within normal limits, normal cardiac contour, heart is normal in size, heart size is within normal limits
widened mediastinum: mediastinal widening, wide mediastinum, prominent mediastinum
tortuous aorta: aortic tortuosity, tortuosity, ectatic aorta, unfolded aorta, tortuous, aortic ectasia, uncoiled aorta
aortic calcification: calcified aorta, atherosclerosis, atherosclerotic, atherosclerotic calcification,
  calcified aortic arch, atherosclerotic calcifications, aortic calcifications, vascular calcification
prominent hila: hilar enlargement, enlarged hila, hilar prominence, hilar adenopathy, lymphadenopathy, adenopathy
raised diaphragm: elevated diaphragm, elevated hemidiaphragm, elevation of the hemidiaphragm, eventration,
  hemidiaphragm elevation, diaphragm elevation, hemidiaphragm is elevated,
  diaphragm is elevated, elevation hemidiaphragm
pneumoperitoneum: free air, free intraperitoneal air, subdiaphragmatic air, free peritoneal air
subcutaneous emphysema: subcutaneous air, surgical emphysema, soft tissue emphysema, soft tissue gas
fracture: fractures, rib fracture, rib fractures, compression fracture, fractured, compression deformity,
  vertebral fracture, broken rib, wedge deformity, compression deformities
degenerative change: degenerative changes, spondylosis, osteophytes, osteophyte, degenerative, degenerative disease,
  osteophytosis, arthritis, arthropathy, degenerative spine, spurring, hypertrophic changes, osteoarthritis,
  degenerative joint disease, disc disease
scoliosis: scoliotic, curvature of the spine, dextroscoliosis, levoscoliosis, spinal curvature, scoliotic curvature
kyphosis: kyphotic, kyphoscoliosis, hyperkyphosis
osteopenia: osteoporosis, demineralization, bone demineralisation, osteopenic, demineralized bones, osteoporotic
clear lungs: lungs are clear, lung fields are clear, clear lung fields, lungs clear, clear bilaterally,
  lungs are grossly clear, well aerated lungs
normal study: normal chest, unremarkable study, normal chest radiograph, normal examination, normal chest x-ray
cystic change: cyst, cysts, cystic, cavity, cavitation, cavitary lesion
tuberculosis: TB, tuberculous
bronchiectasis: bronchiectatic, bronchial wall thickening, peribronchial cuffing, airways disease, bronchitis,
  bronchial thickening, cuffing
azygos lobe: azygos fissure, azygous lobe
"""


def _read(lines: str) -> dict[str, tuple[str, ...]]:
    joined = lines.replace("\n  ", " ")
    found = {}
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            name, _, others = line.partition(":")
            found[name] = tuple(part.strip() for part in others.split(",") if part.strip())
    return found


TERMS: Mapping[str, tuple[str, ...]] = _read(_LINES)
"""Views, positions, quality, devices and findings: the name of each, and its other spellings."""
