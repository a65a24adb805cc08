"""The words of the pages about consultants, in French and English."""

from services.notifier.words import Words

CONSULTANT_WORDS: Words = {
    "people_title": {"fr": "Consultants", "en": "Consultants"},
    "person_add": {"fr": "Ajouter un consultant", "en": "Add a consultant"},
    "person_name": {"fr": "Nom", "en": "Name"},
    "person_email": {"fr": "Adresse e-mail", "en": "E-mail address"},
    "person_phone": {"fr": "Téléphone", "en": "Phone"},
    "person_phone_hint": {
        "fr": "Le client l’apprend quand le besoin est pris en charge.",
        "en": "The client learns it when the need is taken over.",
    },
    "person_locale": {"fr": "Langue", "en": "Language"},
    "person_practices": {"fr": "Familles de métiers", "en": "Role families"},
    "person_roles": {"fr": "Métiers en plus", "en": "Further roles"},
    "person_roles_hint": {
        "fr": "Identifiants séparés par des virgules, comme back-end-developer",
        "en": "Ids separated by commas, such as back-end-developer",
    },
    "person_regions": {"fr": "Régions", "en": "Regions"},
    "person_regions_hint": {
        "fr": "Codes ISO séparés par des virgules : FR pour toute la France, FR-ARA pour une région",
        "en": "ISO codes separated by commas: FR for all of France, FR-ARA for a region",
    },
    "person_delivery": {"fr": "Envoi des besoins", "en": "Delivery of needs"},
    "delivery_immediate": {"fr": "aussitôt", "en": "at once"},
    "delivery_daily": {"fr": "une fois par jour", "en": "once a day"},
    "delivery_paused": {"fr": "en pause", "en": "paused"},
    "person_quiet": {"fr": "Heures calmes", "en": "Quiet hours"},
    "person_quiet_hint": {
        "fr": "Aucun mail entre ces heures. Laissez vide pour n’en avoir aucune.",
        "en": "No mail between these hours. Leave empty for none.",
    },
    "person_quiet_from": {"fr": "De", "en": "From"},
    "person_quiet_to": {"fr": "À", "en": "To"},
    "person_zone": {"fr": "Fuseau horaire", "en": "Time zone"},
    "person_admin": {
        "fr": "Administre les consultants et tous les besoins",
        "en": "Administers consultants and all needs",
    },
    "person_save": {"fr": "Enregistrer", "en": "Save"},
    "person_deactivate": {"fr": "Désactiver", "en": "Deactivate"},
    "person_activate": {"fr": "Réactiver", "en": "Reactivate"},
    "person_deactivate_hint": {
        "fr": "Plus aucun mail, plus d’accès ; les besoins ouverts passent à d’autres. Ses décisions "
        "restent.",
        "en": "No more mails, no more access; open needs pass on to others. Decisions stay.",
    },
    "person_paused_hint": {
        "fr": "En pause, les besoins ouverts passent à d’autres.",
        "en": "While paused, open needs pass on to others.",
    },
    "person_inactive": {"fr": "désactivé", "en": "deactivated"},
    "person_is_admin": {"fr": "administre", "en": "admin"},
    "person_open": {"fr": "Besoins ouverts", "en": "Open needs"},
    "person_errors": {"fr": "Corrigez les champs signalés.", "en": "Correct the fields marked below."},
    "person_email_taken": {
        "fr": "Un autre consultant a cette adresse.",
        "en": "Another consultant has this address.",
    },
    "person_changed": {
        "fr": "Quelqu’un d’autre a modifié cette fiche entre-temps. Vérifiez, puis enregistrez à nouveau.",
        "en": "Somebody else has changed this meanwhile. Check, then save again.",
    },
    "person_last_admin": {
        "fr": "Il faut garder au moins une personne qui administre.",
        "en": "At least one administrator has to stay.",
    },
    "bad_name": {
        "fr": "Indiquez un nom, de 120 caractères au plus.",
        "en": "Enter a name, of 120 characters at most.",
    },
    "bad_email": {"fr": "Indiquez une adresse e-mail.", "en": "Enter an e-mail address."},
    "bad_phone": {
        "fr": "Chiffres, espaces, points et tirets seulement, comme +33 1 99 00 00 00.",
        "en": "Digits, spaces, dots and hyphens only, such as +33 1 99 00 00 00.",
    },
    "bad_roles": {
        "fr": "Des identifiants en minuscules, comme back-end-developer.",
        "en": "Ids in lower case, such as back-end-developer.",
    },
    "bad_regions": {"fr": "Des codes comme FR ou FR-ARA.", "en": "Codes such as FR or FR-ARA."},
    "bad_quiet_from": {"fr": "Une heure, comme 20:00.", "en": "A time, such as 20:00."},
    "bad_quiet_to": {"fr": "Une heure, comme 07:30.", "en": "A time, such as 07:30."},
    "bad_time_zone": {
        "fr": "Un fuseau de la base IANA, comme Europe/Paris.",
        "en": "A time zone of the IANA database, such as Europe/Paris.",
    },
    "bad_other": {"fr": "Cette valeur ne convient pas.", "en": "This value does not fit."},
    "me_lead": {
        "fr": "Votre nom, votre adresse, vos métiers et régions sont réglés par la personne qui administre.",
        "en": "Your name, address, roles and regions are set by an administrator.",
    },
    "addresses_title": {"fr": "Adresses bloquées", "en": "Blocked addresses"},
    "addresses_lead": {
        "fr": "Les mails à ces adresses reviennent : rien n’y est envoyé pendant 30 jours. Une adresse n’est "
        "gardée que sous forme d’empreinte ; elle s’affiche par ce à quoi elle a servi.",
        "en": "Mails to these addresses come back: nothing is sent there for 30 days. An address is kept as "
        "a fingerprint alone, and is shown by what it was used for.",
    },
    "addresses_none": {"fr": "Aucune adresse n’est bloquée.", "en": "No address is blocked."},
    "addresses_before": {"fr": "Débloquées", "en": "No longer blocked"},
    "address_client": {"fr": "Client du besoin {name}", "en": "Client of need {name}"},
    "address_client_gone": {"fr": "Client d’un besoin effacé", "en": "Client of an erased need"},
    "address_agency": {"fr": "Boîte de l’agence", "en": "The agency’s inbox"},
    "address_letter": {
        "fr": "Destinataire d’un message sans besoin",
        "en": "Recipient of a message that is about no need",
    },
    "address_consultant": {"fr": "Consultant {name}", "en": "Consultant {name}"},
    "address_need": {"fr": "voir le besoin", "en": "see the need"},
    "address_until": {"fr": "Bloquée jusqu’au {day}.", "en": "Blocked until {day}."},
    "address_blocked": {
        "fr": "bloquée : un mail est revenu",
        "en": "blocked: a mail came back",
    },
    "address_lifted": {"fr": "débloquée par {who}", "en": "unblocked by {who}"},
    "address_lift": {"fr": "Écrire de nouveau à cette adresse", "en": "Write to this address again"},
    "address_lift_one": {
        "fr": "Écrire de nouveau à cette adresse : {whose}",
        "en": "Write to this address again: {whose}",
    },
    "address_typed": {"fr": "Une adresse que vous connaissez", "en": "An address that you know"},
    "address_typed_hint": {
        "fr": "Par exemple celle d’un candidat, une fois réparée.",
        "en": "For instance a candidate’s, once it is mended.",
    },
    "address_not_blocked": {
        "fr": "Cette adresse n’est pas bloquée.",
        "en": "This address is not blocked.",
    },
    "address_of_client": {
        "fr": "Les mails à l’adresse du client reviennent : rien n’y est envoyé jusqu’au {day}.",
        "en": "Mails to the client’s address come back: nothing is sent there until {day}.",
    },
    "h_address_blocked": {
        "fr": "Adresse du client bloquée : un mail est revenu",
        "en": "The client’s address is blocked: a mail came back",
    },
    "h_address_lifted": {
        "fr": "{who} débloque l’adresse du client",
        "en": "{who} unblocked the client’s address",
    },
    "did_lifted": {"fr": "Cette adresse est débloquée.", "en": "This address is no longer blocked."},
    "lang_fr_name": {"fr": "français", "en": "French"},
    "lang_en_name": {"fr": "anglais", "en": "English"},
}
