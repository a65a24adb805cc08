"""The words of digests and of letters, in French and English. All else: words.py."""

from services.notifier.words import Words

LETTER_WORDS: Words = {
    # Counts: French says nobody and one in the singular
    "pool_none": {
        "fr": "Personne, sur {candidates} dans le vivier, ne respecte les critères impératifs.",
        "en": "Nobody in the pool of {candidates} meets the hard constraints.",
    },
    "pool_one": {
        "fr": "1 personne sur {candidates} dans le vivier respecte les critères impératifs.",
        "en": "1 person in the pool of {candidates} meets the hard constraints.",
    },
    "pool_many": {
        "fr": "{eligible} personnes sur {candidates} dans le vivier respectent les critères impératifs.",
        "en": "{eligible} people in the pool of {candidates} meet the hard constraints.",
    },
    "needs_none": {
        "fr": "aucun besoin",
        "en": "no needs",
    },
    "needs_one": {
        "fr": "1 besoin",
        "en": "1 need",
    },
    "needs_many": {
        "fr": "{n} besoins",
        "en": "{n} needs",
    },
    # What changed since the last mail
    "edited": {
        "fr": "Le client a modifié son besoin depuis le dernier envoi.",
        "en": "The client has edited the need since the last mail.",
    },
    "gone": {
        "fr": "Ne sont plus dans la liste : {who}.",
        "en": "No longer on the list: {who}.",
    },
    "gone_one": {
        "fr": "N’est plus dans la liste : {who}.",
        "en": "No longer on the list: {who}.",
    },
    "left_outranked": {"fr": "d’autres sont mieux placés", "en": "outranked by others"},
    "left_ineligible": {"fr": "ne respecte plus un critère", "en": "no longer eligible"},
    "left_erased": {"fr": "effacé", "en": "erased"},
    "left_declined": {"fr": "écarté pour ce besoin", "en": "declined for this need"},
    "left_placed": {"fr": "placé ailleurs", "en": "placed elsewhere"},
    "left_other": {"fr": "le classement a changé", "en": "the ranking has changed"},
    "open_desk": {
        "fr": "Tout voir sur le bureau",
        "en": "See everything on the desk",
    },
    # The foot of mails to consultants
    "pause_lead": {
        "fr": "Vous ne voulez plus de ces messages ?",
        "en": "Don’t want these messages any more?",
    },
    "pause_link": {
        "fr": "Mettre mes envois en pause",
        "en": "Pause my mails",
    },
    "pause_title": {"fr": "Mettre vos envois en pause", "en": "Pausing your mails"},
    "pause_ask": {
        "fr": "Vous ne recevrez plus de besoins ; ceux qui vous sont confiés passent à d’autres consultants.",
        "en": "You will get no more needs, and those that are with you pass on to other consultants.",
    },
    "pause_done": {
        "fr": "Vos envois sont en pause, et vos besoins ouverts sont confiés à d’autres.",
        "en": "Your mails are paused, and your open needs have gone to others.",
    },
    "pause_resume": {
        "fr": "Pour les reprendre, adressez-vous à la personne qui gère les consultants.",
        "en": "To have them again, ask whoever looks after the consultants’ settings.",
    },
    # The digest
    "subject_digest": {
        "fr": "Votre récapitulatif : {count}",
        "en": "Your digest: {count}",
    },
    "digest_lead": {
        "fr": "Voici ce qui vous attend, dans son état actuel : {count}.",
        "en": "Here is what is waiting for you, as it stands now: {count}.",
    },
    "digest_more": {
        "fr": "et {n} de plus dans la liste complète",
        "en": "and {n} more on the full list",
    },
    "digest_others": {
        "fr": "Et aussi",
        "en": "And also",
    },
    # Letters: for each its subject, its paragraphs, a text for each button, a note
    "links_note": {
        "fr": "Chaque lien vaut mot de passe : ne le transmettez qu’à qui peut agir pour vous. Si vous "
        "n’avez rien demandé, ignorez ce message.",
        "en": "Each link works like a password: pass it on only to those who may act for you. If you did "
        "not ask for this, ignore this message.",
    },
    "sign_in_url": {
        "fr": "Me connecter",
        "en": "Sign in",
    },
    "sign_in_note": {
        "fr": "Si vous n’avez rien demandé, ignorez ce message : personne n’entre sans ce lien.",
        "en": "If you did not ask for this, ignore this message: nobody gets in without this link.",
    },
    "until_time": {
        "fr": "{date} à {time} (heure de {zone})",
        "en": "{date} at {time} ({zone} time)",
    },
    "subject_confirm_registration": {
        "fr": "Confirmez votre inscription",
        "en": "Confirm your registration",
    },
    "confirm_registration_lead": {
        "fr": "Vous, ou quelqu’un à votre place, avez saisi votre profil chez nous.",
        "en": "You, or somebody in your place, entered your profile with us.",
    },
    "confirm_registration_text": {
        "fr": "Confirmez avant le {until} pour que nous puissions vous proposer des missions et des postes.",
        "en": "Confirm before {until}, so that we can propose you for jobs and assignments.",
    },
    "confirm_registration_confirm_url": {
        "fr": "Confirmer mon inscription",
        "en": "Confirm my registration",
    },
    "confirm_registration_note": {
        "fr": "Sans confirmation, rien n’est conservé. Ce n’était pas vous ? Ne faites rien : tout sera "
        "effacé.",
        "en": "Without it nothing is kept. It wasn’t you? Do nothing: everything will be deleted.",
    },
    "subject_change_profile": {
        "fr": "Votre lien vers votre profil",
        "en": "Your link to your profile",
    },
    "change_profile_lead": {
        "fr": "Voici votre lien pour consulter, modifier, prolonger ou supprimer votre profil.",
        "en": "Here is your link to see, change, renew or delete your profile.",
    },
    "change_profile_text": {
        "fr": "Il fonctionne jusqu’au {until}.",
        "en": "It works until {until}.",
    },
    "change_profile_url": {
        "fr": "Ouvrir mon profil",
        "en": "Open my profile",
    },
    "change_profile_note": {
        "fr": "Ce lien vaut mot de passe. Si vous n’avez rien demandé, ignorez ce message.",
        "en": "This link works like a password. If you did not ask for it, ignore this message.",
    },
    "subject_registration_done": {
        "fr": "Votre profil est enregistré",
        "en": "Your profile is registered",
    },
    "registration_done_lead": {
        "fr": "Merci : votre profil compte dès maintenant, jusqu’au {until}.",
        "en": "Thank you: your profile counts from now until {until}.",
    },
    "registration_done_text": {
        "fr": "Vous pouvez le consulter, le modifier ou le supprimer quand vous voulez.",
        "en": "You can see it, change it or delete it whenever you like.",
    },
    "registration_done_url": {
        "fr": "Ouvrir mon profil",
        "en": "Open my profile",
    },
    "registration_done_note": {
        "fr": "Ce lien vaut mot de passe : ne le transmettez à personne.",
        "en": "This link works like a password: do not pass it on.",
    },
    "subject_privacy_notice": {
        "fr": "Vos données chez nous : information (article 14 du RGPD)",
        "en": "Your data with us: information under article 14 GDPR",
    },
    "privacy_notice_lead": {
        "fr": "Nous détenons un profil professionnel à votre nom (compétences, expérience, coordonnées), "
        "pour vous proposer des postes et missions informatiques.",
        "en": "We hold a professional profile of you (skills, experience, contact details), to propose you "
        "for jobs and assignments in IT.",
    },
    "privacy_notice_source": {
        "fr": "Origine de ces données : {source}.",
        "en": "Where it comes from: {source}.",
    },
    "privacy_notice_use": {
        "fr": "Un logiciel compare votre profil, sans votre nom, aux besoins de nos clients ; une personne "
        "décide toujours. Vos données sont lues par nos consultants et, si un poste vous correspond, par "
        "le client concerné.",
        "en": "Software compares your profile, without your name, with our clients’ needs; a person always "
        "decides. Your data are read by our consultants and, where a job suits you, by the client "
        "concerned.",
    },
    "privacy_notice_until": {
        "fr": "Votre profil est conservé jusqu’au {until}.",
        "en": "Your profile is kept until {until}.",
    },
    "privacy_notice_kept": {
        "fr": "Votre profil est conservé au plus deux ans sans contact entre nous.",
        "en": "Your profile is kept for two years without contact between us at most.",
    },
    "privacy_notice_text": {
        "fr": "Vous pouvez consulter ces données, les télécharger, les corriger, vous opposer à leur usage "
        "ou les faire effacer :",
        "en": "You can see these data, download them, correct them, object to their use or have them "
        "deleted:",
    },
    "privacy_notice_rights_url": {
        "fr": "Mes données et mes droits",
        "en": "My data and my rights",
    },
    "privacy_notice_note": {
        "fr": "Le responsable du traitement est l’agence qui signe ce message ; répondez-y pour la "
        "joindre. Vous pouvez aussi adresser une réclamation à l’autorité de protection des données, en "
        "France la CNIL.",
        "en": "The controller is the agency that signs this message; reply to reach it. You may also "
        "complain to the data protection authority, in France the CNIL.",
    },
    "subject_retention_warning": {
        "fr": "Votre profil sera supprimé le {until}",
        "en": "Your profile will be deleted on {until}",
    },
    "retention_warning_lead": {
        "fr": "Nous n’avons pas été en contact depuis près de deux ans.",
        "en": "We have not been in contact for nearly two years.",
    },
    "retention_warning_text": {
        "fr": "Le {until}, nous supprimerons votre profil. Si cela vous convient, vous n’avez rien à faire.",
        "en": "On {until} we will delete your profile. If that is fine, there is nothing to do.",
    },
    "retention_warning_keep_url": {
        "fr": "Garder mon profil",
        "en": "Keep my profile",
    },
    "retention_warning_erase_url": {
        "fr": "Supprimer dès maintenant",
        "en": "Delete it now",
    },
}
