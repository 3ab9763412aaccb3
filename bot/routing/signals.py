"""The runs of words that call the hard rules.

They are the code's, not an administrator's: who widens or narrows a hard rule does it with a test.
"""

import re


def _said(*patterns: str) -> re.Pattern[str]:
    """Return a pattern for runs of words as `Reading.spoken` gives them: plain, one space around each word."""
    return re.compile(rf"(?<= )(?:{'|'.join(patterns)})(?= )")


_BOAT = "(?:bateau|embarcation|canot|voilier|pirogue|kwassa|chalutier|ferry|navire|barque|zodiac|paquebot)"
_OBJECT = "(?:[lsmnt] |se |les? |la |me |te |nous |vous |tous |sa |son |ses |leurs? |mes |mon |ma |une? |des )*"

DANGER = _said(
    "(?:danger|peril|risque) (?:de mort|imminent|immediat|vital)",
    "(?:est|sont|trouve|trouvent|vie|vies) en danger",
    "(?:vie|vies) (?:est|serait|sont) en danger",
    "met(?:tre|tent)? sa vie en danger",
    "urgence (?:vitale|absolue)",
    "pronostic vital",
    "en train de (?:mourir|se noyer|couler|bruler|sombrer)",
    f"(?:va|vont|allait|allaient) {_OBJECT}(?:mourir|sauter|suicider|tuer|executer|egorger|noyer|couler|abattre)",
    f"(?:veut|veulent|menace|menacent|menacait) (?:de |d ){_OBJECT}"
    "(?:suicider|mourir|tuer|executer|egorger|bruler|poignarder|sauter|abattre|jeter|immoler)",
    f"(?:veut|veulent|voudrait|voulait) {_OBJECT}(?:mourir|suicider|en finir|tuer|egorger|immoler)",
    "idees suicidaires",
    "se noie(?:nt)?",
    r"tomb\w+ (?:dans|a) (?:le|la|l|un|une) (?:eau|rhin|fleuve|riviere|lac|canal|mer|ravin|crevasse|torrent|precipice)",
    "ne (?:le|la|les|l) (?:voit|voient|voyons) plus",
    "(?:etre|seront|sera) (?:execute|tue|egorge|abattu)e?s?",
    "tentatives? de suicide",
    "(?:prises?|pris|retenue?s?|detenue?s?|gardee?s?) (?:d|en|comme) otages?",
    r"(?:l|un|une|des|les|deux|trois|quatre|\d+) otages?",
    r"kidnapp\w+",
    r"(?:sequestr|retranch|barricad)\w+",
    "arme (?:au poing|a la main|pointee)",
    "poignardee?s?",
    "egorgee?s?",
    "(?:coince|piege|emmure|enferme)e?s? (?:sous|dans)",
    "ensevelie?s?",
    "sous les (?:decombres|gravats|eboulis)",
    "emporte(?:e|s|es)? par (?:le|la|les|une) (?:courant|eaux|vague|avalanche|crue|torrent)",
    "appel(?:le|lent|er|ait) (?:au secours|a l aide)",
    "arret cardiaque",
    "ne respir(?:e|ent) (?:plus|pas|presque plus)",
    "(?:enfant|bebe|fille|fils|homme|femme|il|elle|skieur|alpiniste|randonneur|victime|personne) ne repond plus",
    "(?:personnes?|gens|blesses?|corps) (?:au sol|inconsciente?s?|en sang|a terre)",
    "saut(?:e|ent) (?:a l eau|par les? fenetres?|dans le vide)",
    r"(?:personnes?|pers|gens|enfants|migrants|\d+) (?:a|dans) l eau",
    "accroche(?:e|s|es)? a (?:la coque|l epave|une? )",
    "homme a la mer",
    rf"{_BOAT} (?:\w+ ){{0,3}}(?:retourne|chavire|coule|en feu|sombre|a la derive|en detresse|en perdition)e?",
    r"(?:perdu\w*|bloqu\w*|coinc\w*|egar\w*) (?:dans|sous) la (?:neige|tempete|montagne|paroi|crevasse)",
    "hypotherm(?:ie|iques?)",
    "saigne abondamment",
    "danger to life",
    "life threatening",
    "(?:life|lives) (?:is |are )?(?:in danger|at risk)",
    "hostages?",
    "shots fired",
    "active shooter",
    "stabbed",
    "drown(?:ing|ed)?",
    "(?:is|are) sinking",
    "at gunpoint",
    "going to (?:die|kill|be killed)",
    "threaten(?:s|ing|ed)? to (?:kill|jump)",
    "buried (?:under|by|in)",
    "not breathing",
    "kidnapped",
    "trapped (?:under|in|inside)",
)
"""Words that say by themselves that somebody's life is at stake."""

VIOLENCE = _said(
    r"otages?",
    "attentats?",
    "attaques?",
    "fusillades?",
    r"tir(?:s|eurs?|ent)?",
    "explosions?",
    "deflagration",
    r"(?:tu|execut|egorg|poignard|abatt|kidnapp|sequestr|retranch|barricad)\w+",
    "armee?s?",
    "arme",
    "coups?",
    "emeutes?",
    "hostages?",
    "shooting",
    "shots",
    "stabbed",
    "kill",
    "kidnapped",
)
EVENT = _said(
    "accidents?(?! du travail)",
    "accidente(?:e|s|es)?",
    "collision",
    "carambolage",
    "deraillement",
    "deraille(?:e|s|es)?",
    "renverse(?:e|s|es)?",
    "incendies?",
    "(?:prend|prennent|pris) feu",
    "en feu",
    "en flammes",
    "feux? de foret",
    "explosions?",
    "deflagration",
    "bombes?",
    "grenades?",
    "fonce (?:dans|sur)",
    "explos(?:e|ent|er|e[es]*)",
    "avalanches?",
    "effondrement",
    "effondre(?:e|s|es)?",
    "naufrages?",
    "chavire(?:e|s|es)?",
    "noyades?",
    "crash",
    "crashed?",
    "ecrase(?:e|s|es)?",
    "attentats?",
    "attaques? (?:en cours|armee|terroriste|au couteau)",
    "fusillades?",
    "coups? de (?:feu|couteau|hache)",
    "tireurs?",
    "tirs?",
    "(?:hommes?|individus?|groupe) armee?s?",
    "fuite de gaz",
    "bombardements?",
    "emeutes?",
    "explosion",
    "attack",
    "shooting",
    "fire",
)
"""What endangers people when it happens now, or harms somebody."""

DISASTER = _said(
    "seismes?",
    "tremblements? de terre",
    "tsunami",
    "inondations?",
    "crues?",
    "ouragans?",
    "cyclones?",
    "tempetes?",
    "eboulements?",
    "glissements? de terrain",
    "coulees? de boue",
    "eruption",
    "rupture de barrage",
    "earthquakes?",
    "floods?",
    "hurricane",
    "wildfires?",
)
"""What is answered as danger only where somebody is harmed: a whole region may be concerned for days."""

NOW = _said(
    "en cours",
    "en ce moment",
    "a l instant",
    "vien(?:t|nent|s) (?:de|d)",
    "maintenant",
    "tout de suite",
    "sos",
    "cette nuit",
    "ce matin",
    "secours",
    r"immediat\w*",
    r"evacu\w+",
    "right now",
    "ongoing",
    "just now",
)
HARMED = _said(
    "bless(?:e|ee|es|ees)",
    "victimes?",
    "mort(?:s|e|es)?",
    "coince(?:e|s|es)?",
    "piege(?:e|s|es)?",
    "disparus",
    "disparues",
    "brulee?s?",
    "intoxique(?:e|s|es)?",
    "secours debordes",
    "dedans",
    "a bord",
    "faites venir",
    "injured",
    "trapped",
    "dead",
    "killed",
    "casualties",
    "victims",
)
UNHARMED = _said(
    "(?:pas|aucune?|sans|ni) (?:de |d )?(?:autres? )?(?:victimes?|blesse(?:s|e|es)?|morts?|danger)",
    "(?:victimes?|blesses?) (?:aucune?|neant|zero)",
    "(?:0|zero) (?:victimes?|blesses?|morts?)",
    "(?:no|nobody|no one) (?:is |was )?(?:hurt|injured|injuries|casualties|victims)",
)
NOT_NOW = _said(
    "(?<!pas un )exercices?",
    r"simul\w+",
    "entrainement",
    "(?:une?|la|en|de|d une) formation",
    "formations",
    "formation (?:a|au|aux|de|des|du|d|sur|pour|continue|commune|initiale)",
    "seminaire",
    "retour d experience",
    "retex",
    r"commemor\w+",
    "hommage",
    "anniversaire",
    "prevention",
    "scenario",
    "hypothese",
    "(?:une?|la|de|d une) conventions?",
    "convention (?:de|d|sur|avec)",
    "accords? (?:de|d|sur|avec)",
    "associations? (?:de|des) victimes",
    "ceremonies?",
    "enquetes?",
    "proces",
    r"indemnis\w+",
    "assurances?",
    "en cas (?:de|d|ou)",
    "en (?:19|20)[0-9]{2}",
    "(?:l an|l annee|mois|semaine|annee|ete|hiver|printemps|automne) derni(?:er|ere)",
    "last (?:year|month|week|summer|winter)",
    r"il y a \w+ (?:jours?|semaines?|mois|ans?)",
    r"depuis \w+ (?:semaines?|mois|ans?)",
    "rapatriement (?:de|du|d|des)",
    "actes? de (?:naissance|deces|mariage)",
    "certificats?",
    "statistiques?",
    "etude",
    "pays d origine",
    "dans (?:son|leur) pays",
    "drill",
    "training",
    "exercise",
)
"""What tells an exercise, a text or a thing of the past from something under way."""

ASYLUM = _said(
    r"(?:demand\w*|droit|procedure|attestation|guichet|titre|candidats?|dossiers?|visas?|allocation|refus|rejet|octroi|"
    r"deboute\w*)"
    " (?:de |d |du |l |au titre de l |de l )*asile",
    r"(?:demand\w*|sollicit\w*|obten\w*|accord\w*|refus\w*|introdui\w*|depos\w*|reclam\w*) "
    "(?:l |d |de l |un |son )*asile",
    "(?:l|d) asile",
    "asile (?:politique|territorial|a la frontiere|en france)",
    "refugie(?:e|s|es)?(?! (?:fiscal|fiscaux|climatique|climatiques|republicain|espagnol republicain))",
    "protections? (?:subsidiaire|internationale|temporaire)s?",
    "protegee?s? (?:subsidiaire|temporaire|internationale?)s?",
    "bpi",
    "bpt",
    "ofpra",
    "cnda",
    "gudas?",
    "gudaj",
    "spada",
    "cada",
    "apatrid\\w*",
    "dubline(?:e|s|es)?",
    "(?:procedure|reglement|transferts?|accords?|placee?s? en procedure|placee?s? sous|releve de|sous) dublin",
    "dublin (?:iii|3)",
    "persecut\\w+",
    "non refoulement",
    "deserteurs?",
    "asylum",
    "refugees?",
    "subsidiary protection",
    "reunification familiale",
)
_PAST = "(?:republicain|republicains|1936|1938|1939|1940|1945|1956|1962|retirada)"
PAST_REFUGE = _said(_PAST, f"(?:guerre|exode|exil) (?:civile )?{_PAST}", "guerre d espagne")
"""A refugee of another time is history, and mostly nationality, not a case of asylum."""

PERSON = _said(
    "demandeu(?:r|rs|se|ses)(?: d asile)?",
    "refugiee?s?",
    "beneficiaires?",
    "bpi",
    "apatrides?",
    "dublinee?s?",
    "persecutee?s?",
    "asylum seekers?",
    "refugees?",
)
ONE_PERSON = _said(
    "demandeu(?:r|se)(?: d asile)?",
    "refugiee?",
    "beneficiaire",
    "bpi",
    "apatride",
    "dublinee?",
    "persecutee?",
    "asylum seeker",
    "refugee",
)
"""Somebody's case, where the plural may be a public."""

PASS = _said(
    "laiss(?:ez|er) passer",
    "lpc",
    "lp consulaires?",
    "sauf conduit",
    "(?:audition|reconnaissance|identification|presentation)s? consulaires?",
    r"(?:identifi|reconn|audition|presente)\w* (?:par|aupres|devant) (?:\w+ ){0,2}"
    "(?:consulat|consul|ambassade|autorites)s?(?: consulaires?)?",
    "consular pass(?:es)?",
    "consular laissez passer",
)
DOCUMENT = _said(
    "(?:documents?|titres?) de voyage",
    "travel documents?",
    "(?:consulat|ambassade|autorites) (?:\\w+ ){0,6}(?:identifi\\w*|reconn\\w*|delivr\\w*|passeport)",
    "demandes? d identification",
    "documents? des autorites",
    "(?:sans|demunie?s? de|depourvue?s? de) (?:papiers?|documents?|passeport)",
)
"""What the foreign consulate gives as well, when the talk is of a removal."""

REMOVAL = _said(
    "oqtf",
    "irtf",
    "obligation de quitter",
    r"eloign\w+",
    r"expuls\w+",
    "recondui(?:te|tes|re|t|ts)",
    "retention",
    "retenue?s? (?:au|a|en|du|algerien|marocain)",
    "(?:une?|le|la|des|les|nos|notre|ce|cet|cette) retenue?s?",
    r"\d+ retenus",
    "retenue?s",
    "(?:au|du|en|le|un|de) cra",
    "cra",
    "readmission",
    "retours? forces?",
    "vols? (?:retour|charter|reserve|prevu|demain|groupe|d eloignement)",
    "mesure d execution",
    "renvo(?:i|yer)",
    "removals?",
    "deport(?:ation|ed|ing)",
    "detainees?",
    "detention centre",
    "situation irreguliere",
)
FRENCH = _said(
    "(?<!de )(?<!au )(?<!en )(?<!du )francais(?:es?)?",
    "(?:un|une|des|les|nos|notre|jeune|couple|enfant|ressortissante?s?|mineure?|deux|trois|touristes?) "
    "francais(?:es?)?",
    "compatriotes?",
    "administree?s?",
    "(?:a|ont|ai) perdu",
    "perdus?",
    "pertes?",
    "volee?s?",
    "voler",
    "vol de",
    "touristes?",
    "(?:rentrer|revenir|retour) en france",
    "doi(?:t|vent) rentrer",
    "vacances",
    "french (?:national|citizen|tourist|student)s?",
    "lost",
    "stolen",
)
NOTICE = _said(
    "notifications? consulaires?",
    r"(?:preven|avert|inform|avis|notif|contact|joind|appel|alert|reclam|demand|saisi)\w* "
    r"(?:a )?(?:son|leur|sa|ses) (?:propre |propres )?(?:consul|consulat|ambassade)s?",
    r"(?:preven|avert|inform|avis|notif)\w* (?:le|au|du) consulats? (?:de |du |d )(?:son|leur) pays",
    "(?:son|leur) (?:consul|consulat)",
    "consulat (?:prevenu|averti|avise)",
    "article 36",
    "(?:his|her|their) (?:own )?(?:consul|consulate|embassy)",
)
CITIZEN = _said(
    "(?:mon|ma|mes) (?:titre|carte|permis|visa|naturalisation|recepisse|acte|casier|immatriculation|passeport|recours)",
    "(?:mon|ma|mes) (?:conjointe?|mari|femme|epouse|epoux|fils|fille|enfants?|pacs|divorce|mariage|regroupement|mere|"
    "pere|parents|frere|soeur|copain|copine|compagne|compagnon|voiture|belle mere|beau pere|belle soeur|beau frere)",
    "je suis (?:un particulier|une particuliere|une? citoyen(?:ne)?|etudiante?|etrangere?|salariee?)",
    "(?:renouveler|refaire|obtenir|demander) mon passeport",
    "(?:j ai|jai|ai) (?:perdu|depose|demande|fait|achete|acheter|deposer|recu) (?:mon|ma|mes|un|une)",
    "question (?:perso|personnelle|privee)",
    "a titre (?:personnel|prive)",
    "my (?:own )?(?:passport|residence permit|visa|wife|husband|son|daughter|mother|father|appointment|application)",
)
"""What only a private person says of himself; an official who says « ma voiture » is rare, and helped all the same."""

OWN = _said(
    "(?:mon|ma|mes) (?!collegue|collegues|service|services|bureau|prefet|prefete|chef|equipe|poste|consul|ambassade|"
    "ambassadeur|direction|directeur|directrice|departement|arrondissement|circonscription|administre|interlocuteur|"
    r"message|mail|courriel|courrier|region|cabinet|homologue|ministere|agent|agents|secretariat|stagiaire)\w+",
    r"je suis (?:algerien|marocain|tunisien|malien|senegalais|\w+ien|\w+aine?|\w+ais|\w+aise|etudiant|\w+ienne)",
    "(?:pour |de )?ma belle",
    "i am an? (?:student|tourist|citizen|worker|[a-z]+ian)",
    "my",
)
"""The same from somebody whose organisation is not known: there the first person is enough."""

JUSTICE = _said(
    "commissions? rogatoires?",
    "entraides? (?:judiciaires?|penales?|civiles?)",
    "(?:demandes? d|l) entraide",
    r"extrad\w+",
    "mandats? d arrets?",
    r"transfere?ments?(?: d| de| du)? (?:un )?(?:condamne|detenu|prisonnier)e?s?",
    "transferement",
    "(?:purger|finir|executer|terminer|accomplir|effectuer) (?:le reste de |la fin de )?sa (?:peine|condamnation)",
    "enlevements? (?:parental|parentaux|internation\\w+|illicite|d enfants?)",
    "rapt parental",
    "cri (?:a|vers|pour|en)",
    "exequatur (?:d|de|du|des) (?:une? |le |la |l )?(?:jugement|divorce|decision|adoption)s?",
    r"execut\w+ (?:\w+ ){0,4}(?:decision|jugement|peine|condamnation)s?",
    "(?:recouvr\\w+|pensions?|creances?|obligations?) (?:\\w+ )?alimentaires?",
    "decisions? d enquete europeenne",
    "signif\\w+ (?:d )?(?:une?|l|la|le|des|cette?|a) (?:jugement|acte|assignation|decision|ordonnance|un|une)",
    r"(?:emmene|enleve|parti|partie|kidnappe)e?s? (?:\w+ ){0,4}"
    "(?:les enfants|l enfant|les petits|le petit|la petite|sa fille|son fils)",
    "letters? rogatory",
    "mutual legal assistance",
    "prisoner transfers?",
    "serve (?:the rest of )?(?:his|her|their) sentence",
    "(?:parental|child) abduction",
)
CHILD = _said(
    "les enfants", "l enfant", "les petits", "le petit", "la petite", "sa fille", "son fils", "leur fils", "leur fille"
)
TAKEN_BY = _said(
    "(?:le|son|leur|par le|par son) (?:pere|mari|ex mari|ex conjoint|papa)",
    "(?:la|sa|leur|par la|par sa) (?:mere|femme|ex femme|ex epouse|maman)",
)
TAKEN = _said(
    r"(?:emmene|enlev|reten|retien|kidnapp)\w*",
    "partie? (?:a|au|en|aux|avec|vers)",
    "ne (?:les|le|la) (?:ramen|ren)\\w+",
    "refuse de (?:les|le|la) (?:rendre|ramener)",
)
"""A parent who took a child abroad: said in many ways, so the three are looked for apart."""

OPERATION = _said(
    "controles? routiers?",
    "delit de fuite",
    "en fuite",
    r"(?:course )?poursuite",
    "refus d obtemperer",
    "braquage",
    "go fast",
    r"interpell\w+",
    "interpele(?:e|s|es)?",
    "plaques?",
    r"immatricul\w+",
    "titulaire",
    "vehicules? vole(?:s)?",
    "hit and run",
    "registration plate",
)
HANDOVER = _said(
    "remis(?:e|es)? (?:a|au|aux|de|d|des)",
    "readmissions?",
    "bordereau",
    "handed over",
    "handover",
)
AT_ONCE = _said(
    "tout de suite",
    "maintenant",
    "en cours",
    "en ce moment",
    "immediatement",
    "a l instant",
    "ce matin",
    "dans l heure",
    r"(?:dans|d ici) (?:une|deux|1|2|\d+) (?:h|heures?|min|minutes?)",
    r"\d+ (?:min|mn|minutes?) (?:d avance|avant)",
    "d avance",
    "(?:qui|on) (?:on )?(?:appeler?|bloque)",
    "right now",
    "at once",
)
"""Together with an operation at a border: the CCPD, day and night, before any letter."""

HOUR = _said(r"a \d+ ?h\w*", r"a \d+ (?:h|heures)", r"avant \d+ ?h\w*")
"""A people's handover has its hour."""
