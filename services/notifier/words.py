"""The words of mails and of the pages they lead to, in French and English."""

from collections.abc import Mapping

Words = Mapping[str, Mapping[str, str]]

MAIL_WORDS: Words = {
    # Subjects
    "subject_acknowledgement": {
        "fr": "Votre besoin {reference} est bien reçu",
        "en": "We have your need {reference}",
    },
    "subject_taken": {
        "fr": "Votre besoin {reference} : {name} s’en occupe",
        "en": "Your need {reference}: {name} is on it",
    },
    "subject_filled": {"fr": "Votre besoin {reference} est pourvu", "en": "Your need {reference} is filled"},
    "subject_shortlist": {"fr": "{count} : {what} ({reference})", "en": "{count}: {what} ({reference})"},
    "subject_no_match": {
        "fr": "Aucun candidat : {what} ({reference})",
        "en": "Nobody fits: {what} ({reference})",
    },
    "subject_links": {"fr": "Le suivi de vos besoins", "en": "Following your needs"},
    # All mails
    "hello": {"fr": "Bonjour {name},", "en": "Hello {name},"},
    "hello_all": {"fr": "Bonjour,", "en": "Hello,"},
    "regards": {"fr": "Bien à vous,", "en": "Kind regards,"},
    "reference": {"fr": "Référence", "en": "Reference"},
    "phone": {"fr": "Téléphone", "en": "Phone"},
    "email": {"fr": "E-mail", "en": "E-mail"},
    "automatic": {
        "fr": "{agency}, message automatique. Une réponse arrive à {reply_to}.",
        "en": "{agency}, automatic message. A reply to it goes to {reply_to}.",
    },
    # To the client
    "ack_lead": {
        "fr": "Nous avons bien reçu votre besoin et le comparons dès maintenant à nos candidats.",
        "en": "We have received your need and are comparing it with our candidates now.",
    },
    "ack_next": {
        "fr": "Un consultant le prend en charge et vous appelle. D’ici là, suivez l’avancement, corrigez ou "
        "retirez le besoin sur sa page :",
        "en": "A consultant will take it over and call you. Until then, follow, correct or withdraw the need "
        "on its page:",
    },
    "track": {"fr": "Suivre mon besoin", "en": "Follow my need"},
    "keep_link": {
        "fr": "Ce lien vaut mot de passe : ne le transmettez qu’à qui peut agir pour vous.",
        "en": "This link works like a password: pass it on only to those who may act for you.",
    },
    "taken_lead": {
        "fr": "{name} prend votre besoin en charge et vous contactera.",
        "en": "{name} has taken over your need and will contact you.",
    },
    "taken_reach": {"fr": "Pour joindre {name} :", "en": "To reach {name}:"},
    "filled_lead": {
        "fr": "Votre besoin est marqué comme pourvu. Nous arrêtons la recherche. Merci de votre confiance.",
        "en": "Your need is marked as filled, and we have stopped searching. Thank you for your trust.",
    },
    "filled_wrong": {
        "fr": "Si ce n’est pas le cas, répondez à ce message.",
        "en": "If that is not so, reply to this message.",
    },
    # To the consultant
    "client": {"fr": "Client", "en": "Client"},
    "musts": {"fr": "Impératif", "en": "Must have"},
    "wishes": {"fr": "Souhaité", "en": "Nice to have"},
    "candidates_none": {"fr": "Aucun candidat", "en": "No candidates"},
    "candidates_one": {"fr": "1 candidat", "en": "1 candidate"},
    "candidates_many": {"fr": "{n} candidats", "en": "{n} candidates"},
    "of_pool": {
        "fr": "{eligible} respectent les critères impératifs, sur {candidates} candidats.",
        "en": "{eligible} meet the hard constraints, of {candidates} candidates.",
    },
    "orphan": {
        "fr": "Aucun consultant ne couvre ce métier et cette région, ou tous l’ont transmis. "
        "Confiez ce besoin à quelqu’un.",
        "en": "No consultant covers this role and region, or all have passed it on. "
        "Give this need to somebody.",
    },
    "news": {"fr": "Nouveau depuis le dernier envoi : {who}.", "en": "New since the last mail: {who}."},
    "candidate": {"fr": "Candidat {code}", "en": "Candidate {code}"},
    "new": {"fr": "nouveau", "en": "new"},
    "score": {"fr": "{score} sur 100", "en": "{score} of 100"},
    "musts_all": {"fr": "toutes les compétences impératives", "en": "every must-have skill"},
    "musts_all_one": {"fr": "la compétence impérative", "en": "the must-have skill"},
    # French counts 0 as one; in English the noun goes with the whole.
    "musts_some": {
        "fr": "{have} compétences impératives sur {asked} ; il manque : {missing}",
        "en": "{have} of {asked} must-have skills; missing: {missing}",
    },
    "musts_some_have_one": {
        "fr": "{have} compétence impérative sur {asked} ; il manque : {missing}",
        "en": "{have} of {asked} must-have skills; missing: {missing}",
    },
    "musts_some_asked_one": {
        "fr": "{have} compétence impérative sur {asked} ; il manque : {missing}",
        "en": "{have} of {asked} must-have skill; missing: {missing}",
    },
    "to_ask": {"fr": "À demander :", "en": "To ask:"},
    "near_misses": {"fr": "Il s’en faut d’un critère", "en": "Near misses: one criterion away"},
    "marked": {"fr": "Décision : {decision}", "en": "Decision: {decision}"},
    "answer": {"fr": "Répondre", "en": "Answer"},
    "no_match_lead": {
        "fr": "Aucun candidat ne convient à ce besoin tel qu’il est posé.",
        "en": "No candidate fits this need as it stands.",
    },
    "no_match_pool": {
        "fr": "Sur {candidates} candidats, {eligible} respectent les critères impératifs.",
        "en": "Of {candidates} candidates, {eligible} meet the hard constraints.",
    },
    "relax": {"fr": "Ce que changerait chaque assouplissement", "en": "What relaxing each must would bring"},
    "relax_none": {
        "fr": "Aucun critère impératif ne change la donne à lui seul.",
        "en": "No single must makes the difference.",
    },
    "without_must": {"fr": "Sans l’exigence «\u00a0{must}\u00a0»", "en": "Without the must “{must}”"},
    "more": {"fr": "{n} de plus", "en": "{n} more"},
    "links_work": {
        "fr": "Les liens de ce message valent {days} jours et ne servent qu’à vous. Les ouvrir ne change "
        "rien : chacun mène à une page qui demande confirmation.",
        "en": "The links in this message work for {days} days and are yours alone. Opening one changes "
        "nothing: each leads to a page that asks you to confirm.",
    },
    "assign": {"fr": "Confier à un consultant", "en": "Give to a consultant"},
    # Decisions, as buttons
    "do_taken": {"fr": "Je prends ce besoin", "en": "Take this need over"},
    "do_passed_on": {"fr": "Transmettre", "en": "Pass it on"},
    "do_accepted": {"fr": "Retenir", "en": "Accept"},
    "do_contacted": {"fr": "Contacté", "en": "Contacted"},
    "do_presented": {"fr": "Présenté", "en": "Presented"},
    "do_placed": {"fr": "Placé", "en": "Placed"},
    "do_declined": {"fr": "Écarter", "en": "Decline"},
    # Letters
    "subject_sign_in": {"fr": "Votre lien de connexion", "en": "Your sign-in link"},
    "sign_in_lead": {
        "fr": "Voici votre lien pour ouvrir le bureau des consultants. Il sert une fois, pendant 15 minutes.",
        "en": "Here is your link to the consultants’ desk. It works once, for 15 minutes.",
    },
    "sign_in_button": {"fr": "Me connecter", "en": "Sign in"},
    "sign_in_not_you": {
        "fr": "Si vous n’avez rien demandé, ignorez ce message : personne n’entre sans ce lien.",
        "en": "If you did not ask for this, ignore this message: nobody gets in without this link.",
    },
    "links_lead": {
        "fr": "Voici les liens vers vos besoins, demandés avec cette adresse :",
        "en": "Here are the links to your needs, asked for with this address:",
    },
    "links_not_you": {
        "fr": "Si vous n’avez rien demandé, ignorez ce message.",
        "en": "If you did not ask for this, ignore this message.",
    },
}

PAGE_WORDS: Words = {
    # Acting on a link
    "act_title": {"fr": "Votre décision", "en": "Your decision"},
    "act_for": {"fr": "Besoin {reference}", "en": "Need {reference}"},
    "act_confirm": {"fr": "Confirmer", "en": "Confirm"},
    "act_nothing_yet": {
        "fr": "Rien n’est enregistré tant que vous n’avez pas confirmé.",
        "en": "Nothing is recorded until you confirm.",
    },
    "act_choose": {"fr": "Décision", "en": "Decision"},
    "act_reason": {"fr": "Pour quelle raison ?", "en": "For which reason?"},
    "act_reason_needed": {"fr": "Choisissez une raison.", "en": "Choose a reason."},
    "act_choice_needed": {"fr": "Choisissez une décision.", "en": "Choose a decision."},
    "act_consultant": {"fr": "Consultant", "en": "Consultant"},
    "act_consultant_needed": {"fr": "Choisissez un consultant.", "en": "Choose a consultant."},
    "act_no_consultant": {
        "fr": "Aucun consultant n’est disponible.",
        "en": "No consultant is available.",
    },
    "act_done": {"fr": "C’est enregistré", "en": "Recorded"},
    "ask_taken": {
        "fr": "Prendre ce besoin en charge ? Le client apprendra par qui et comment vous joindre.",
        "en": "Take this need over? The client will learn by whom, and how to reach you.",
    },
    "ask_passed_on": {
        "fr": "Transmettre ce besoin au consultant suivant ?",
        "en": "Pass this need on to the next consultant?",
    },
    "ask_accepted": {"fr": "Retenir ce candidat ?", "en": "Accept this candidate?"},
    "ask_contacted": {"fr": "Noter ce candidat comme contacté ?", "en": "Note this candidate as contacted?"},
    "ask_presented": {
        "fr": "Noter ce candidat comme présenté au client ?",
        "en": "Note this candidate as presented to the client?",
    },
    "ask_placed": {"fr": "Noter ce candidat comme placé ?", "en": "Note this candidate as placed?"},
    "ask_declined": {
        "fr": "Écarter ce candidat pour ce besoin ?",
        "en": "Decline this candidate for this need?",
    },
    "ask_assign": {"fr": "À qui confier ce besoin ?", "en": "Who should get this need?"},
    "ask_choose": {
        "fr": "Que décidez-vous pour ce candidat ?",
        "en": "What do you decide on this candidate?",
    },
    "done_taken": {"fr": "Ce besoin est le vôtre.", "en": "This need is yours."},
    "done_passed_on": {"fr": "Ce besoin est transmis.", "en": "This need is passed on."},
    "done_passed_to": {"fr": "Ce besoin est transmis à {name}.", "en": "This need is passed on to {name}."},
    "done_passed_agency": {
        "fr": "Aucun autre consultant ne convient : la boîte de l’agence a reçu ce besoin.",
        "en": "No other consultant fits: the agency's inbox has this need now.",
    },
    "done_accepted": {"fr": "Le candidat {code} est retenu.", "en": "Candidate {code} is accepted."},
    "done_contacted": {
        "fr": "Le candidat {code} est noté contacté.",
        "en": "Candidate {code} is noted as contacted.",
    },
    "done_presented": {
        "fr": "Le candidat {code} est noté présenté.",
        "en": "Candidate {code} is noted as presented.",
    },
    "done_placed": {"fr": "Le candidat {code} est noté placé.", "en": "Candidate {code} is noted as placed."},
    "done_declined": {"fr": "Le candidat {code} est écarté.", "en": "Candidate {code} is declined."},
    "done_assign": {"fr": "Le besoin est confié à {name}.", "en": "The need is given to {name}."},
    "close_tab": {"fr": "Vous pouvez fermer cette page.", "en": "You can close this page."},
    "cannot": {"fr": "Ce n’est plus possible", "en": "This is not possible any more"},
    "why_closed": {
        "fr": "Le client a retiré ce besoin, ou il est pourvu.",
        "en": "The client has withdrawn this need, or it is filled.",
    },
    "why_with_colleague": {"fr": "{name} s’occupe de ce besoin.", "en": "{name} is looking after this need."},
    "why_candidate_gone": {
        "fr": "Ce candidat n’est plus dans nos fichiers.",
        "en": "This candidate is no longer in our files.",
    },
    "why_already_passed_on": {
        "fr": "Vous avez déjà transmis ce besoin.",
        "en": "You have already passed this need on.",
    },
    "why_not_available": {
        "fr": "Qui est en pause, ou ne reçoit plus ses mails, ne peut pas recevoir de besoin.",
        "en": "Whoever is paused, or no longer gets their mails, cannot be given a need.",
    },
    "somebody": {"fr": "Un collègue", "en": "A colleague"},
    "outage": {"fr": "Un instant, s’il vous plaît", "en": "One moment, please"},
    "outage_nothing_changed": {
        "fr": "Une partie du service ne répond pas. Rien n’a été modifié : réessayez dans un instant.",
        "en": "A part of the service does not answer. Nothing was changed: please try again in a moment.",
    },
    "outage_repeat": {
        "fr": "Une partie du service n’a pas répondu à temps. Réessayez dans un instant : une décision déjà "
        "enregistrée ne compte pas deux fois.",
        "en": "A part of the service did not answer in time. Please try again in a moment: a decision that "
        "is recorded already does not count twice.",
    },
    "bad_link": {"fr": "Ce lien ne fonctionne pas", "en": "This link does not work"},
    "bad_link_text": {
        "fr": "Il est incomplet ou a expiré. Le dernier message à propos de ce besoin en contient un "
        "valable ; sinon, écrivez-nous.",
        "en": "It is incomplete or has expired. The latest message about this need has one that works; "
        "otherwise, write to us.",
    },
    "reason_skills": {"fr": "Compétences", "en": "Skills"},
    "reason_experience": {"fr": "Expérience", "en": "Experience"},
    "reason_availability": {"fr": "Disponibilité", "en": "Availability"},
    "reason_rate": {"fr": "Tarif ou salaire", "en": "Rate or salary"},
    "reason_location": {"fr": "Lieu ou télétravail", "en": "Location or remote work"},
    "reason_not_interested": {"fr": "Pas intéressé", "en": "Not interested"},
    "reason_other": {"fr": "Autre", "en": "Other"},
    # The inbox of caught mails
    "inbox": {"fr": "Mails interceptés", "en": "Caught mails"},
    "inbox_lead": {
        "fr": "Ce serveur est à l’essai : ses mails n’en sortent pas. Ils sont ici, et leurs liens marchent.",
        "en": "This server is on trial: its mails do not leave it. They are here, and their links work.",
    },
    "inbox_empty": {
        "fr": "Aucun mail pour l’instant. Décrivez un besoin : l’accusé et la liste arriveront ici.",
        "en": "No mail yet. Describe a need: the acknowledgement and the shortlist arrive here.",
    },
    "inbox_from": {"fr": "De", "en": "From"},
    "inbox_to": {"fr": "À", "en": "To"},
    "inbox_subject": {"fr": "Objet", "en": "Subject"},
    "inbox_when": {"fr": "Reçu", "en": "Received"},
    "inbox_text": {"fr": "Texte", "en": "Text"},
    "inbox_headers": {"fr": "En-têtes", "en": "Headers"},
    "inbox_back": {"fr": "Tous les mails", "en": "All mails"},
    "inbox_alone": {"fr": "Ouvrir seul", "en": "Open on its own"},
    "no_inbox": {"fr": "Les mails partent pour de bon", "en": "Mails really leave"},
    "no_inbox_text": {
        "fr": "Ce serveur les remet au relais {host}, port {port}. Il n’en montre pas le contenu.",
        "en": "This server hands them to the relay {host}, port {port}. It does not show what is in them.",
    },
    "relay_away": {
        "fr": "Le relais ne répond pas en ce moment : les mails attendent, aucun n’est perdu.",
        "en": "The relay does not answer right now: mails wait, and none is lost.",
    },
}

FACT_WORDS: Words = {
    # Criteria of a score and musts
    "must_skills": {"fr": "Compétences impératives", "en": "Must-have skills"},
    "nice_skills": {"fr": "Compétences souhaitées", "en": "Nice-to-have skills"},
    "role_experience": {"fr": "Expérience du métier", "en": "Experience in the role"},
    "role_fit": {"fr": "Profil proche du métier", "en": "Profile close to the role"},
    "named_skills": {"fr": "Compétences citées", "en": "Skills mentioned"},
    "role_skills": {"fr": "Compétences usuelles du métier", "en": "Usual skills of the role"},
    "seniority": {"fr": "Séniorité", "en": "Seniority"},
    "location": {"fr": "Lieu", "en": "Location"},
    "remote": {"fr": "Télétravail", "en": "Remote work"},
    "start_by": {"fr": "Date de début", "en": "Start date"},
    "contracts": {"fr": "Contrat", "en": "Contract"},
    "budget": {"fr": "Budget", "en": "Budget"},
    "languages": {"fr": "Langues", "en": "Languages"},
    "min_years": {"fr": "Années d’expérience", "en": "Years of experience"},
    "min_education": {"fr": "Niveau d’études", "en": "Education"},
    "skills": {"fr": "Compétences impératives", "en": "Must-have skills"},
    # Values
    "junior": {"fr": "junior", "en": "junior"},
    "middle": {"fr": "confirmé", "en": "mid-level"},
    "senior": {"fr": "senior", "en": "senior"},
    "lead": {"fr": "lead", "en": "lead"},
    "none": {"fr": "sur site", "en": "on site"},
    "partial": {"fr": "télétravail partiel", "en": "partly remote"},
    "full": {"fr": "télétravail complet", "en": "fully remote"},
    "permanent": {"fr": "CDI", "en": "permanent"},
    "fixed_term": {"fr": "CDD", "en": "fixed-term"},
    "freelance": {"fr": "freelance", "en": "freelance"},
    "apprenticeship": {"fr": "alternance", "en": "apprenticeship"},
    "lang_de": {"fr": "allemand", "en": "German"},
    "lang_en": {"fr": "anglais", "en": "English"},
    "lang_es": {"fr": "espagnol", "en": "Spanish"},
    "lang_fr": {"fr": "français", "en": "French"},
    "lang_it": {"fr": "italien", "en": "Italian"},
    "lang_nl": {"fr": "néerlandais", "en": "Dutch"},
    "lang_pt": {"fr": "portugais", "en": "Portuguese"},
    # Evidence
    "level": {"fr": "niveau {n}", "en": "level {n}"},
    "level_estimated": {"fr": "niveau {n} estimé", "en": "level {n}, estimated"},
    "years_one": {"fr": "1 an", "en": "1 year"},
    "years_many": {"fr": "{n} ans", "en": "{n} years"},
    "months": {"fr": "{n} mois", "en": "{n} months"},
    "last_used": {"fr": "dernier usage {year}", "en": "last used {year}"},
    "mentions_one": {"fr": "1 mention", "en": "1 mention"},
    "mentions_many": {"fr": "{n} mentions", "en": "{n} mentions"},
    "neighbour": {"fr": "{role} (métier voisin)", "en": "{role} (adjacent role)"},
    "profile_share": {
        "fr": "{n} compétences sur {of} propres au métier",
        "en": "{n} of {of} skills belong to the role",
    },
    "via": {"fr": "{asked} (via {via})", "en": "{asked} (through {via})"},
    "asked_for": {"fr": "{found}, demandé : {asked}", "en": "{found}, asked: {asked}"},
    "from_date": {"fr": "à partir du {date}", "en": "from {date}"},
    "at_least_years": {"fr": "{n} ans d’expérience et plus", "en": "{n}+ years of experience"},
    "day_rate": {"fr": "{amount} {currency} par jour", "en": "{amount} {currency} a day"},
    "salary": {"fr": "{amount} {currency} par an", "en": "{amount} {currency} a year"},
    "positions": {"fr": "{n} postes", "en": "{n} positions"},
}
