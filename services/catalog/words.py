"""What the pages say, in French and in English, and how families and categories are called."""

from shared.events.vocabulary import Locale

WORDS: dict[str, dict[str, str]] = {
    "roles_title": {"fr": "Les métiers de l’informatique", "en": "IT roles"},
    "roles_lead": {
        "fr": "Missions, compétences, évolutions : une fiche par métier, et des candidats pour chacun.",
        "en": "Tasks, skills, career paths: a sheet for each role, and candidates to go with it.",
    },
    "search": {"fr": "Rechercher", "en": "Search"},
    "search_label": {"fr": "Métier ou compétence", "en": "Role or skill"},
    "search_hint": {
        "fr": "Par exemple « développeur back-end », « SRE » ou « Kubernetes ».",
        "en": "For example “back-end developer”, “SRE” or “Kubernetes”.",
    },
    "family": {"fr": "Familles de métiers", "en": "Families of roles"},
    "all_families": {"fr": "Toutes les familles", "en": "All families"},
    "clear": {"fr": "Voir tous les métiers", "en": "See all roles"},
    "count_one": {"fr": "1 métier", "en": "1 role"},
    "count_many": {"fr": "{count} métiers", "en": "{count} roles"},
    "nothing": {"fr": "Aucun métier ne correspond", "en": "No role matches"},
    "nothing_text": {
        "fr": "Essayez un autre mot : un intitulé, une technologie, un outil. Ou décrivez votre besoin, "
        "nous trouverons le bon intitulé.",
        "en": "Try another word: a title, a technology, a tool. Or describe your need, and we will find the "
        "right title.",
    },
    "elsewhere_one": {
        "fr": "Une autre famille a un métier pour cette recherche",
        "en": "Another family has a role for this search",
    },
    "elsewhere_many": {
        "fr": "D’autres familles ont {count} métiers pour cette recherche",
        "en": "Other families have {count} roles for this search",
    },
    "suggested": {"fr": "À voir aussi", "en": "Worth a look"},
    "language_switch": {"fr": "English", "en": "Français"},
    "breadcrumb": {"fr": "Vous êtes ici", "en": "You are here"},
    "on_this_page": {"fr": "Sur cette page", "en": "On this page"},
    "role_of": {"fr": "Le métier", "en": "The role"},
    "versus": {"fr": "À ne pas confondre", "en": "How it differs"},
    "tasks": {"fr": "Missions", "en": "Tasks"},
    "contacts": {"fr": "Interlocuteurs clés", "en": "Key contacts"},
    "skills": {"fr": "Compétences techniques", "en": "Technical skills"},
    "skills_hint": {
        "fr": "Niveau habituellement attendu, de 1 (notions) à 5 (expertise).",
        "en": "Level usually expected, from 1 (basics) to 5 (expert).",
    },
    "level": {"fr": "niveau {level} sur 5", "en": "level {level} of 5"},
    "soft_skills": {"fr": "Qualités humaines", "en": "Soft skills"},
    "education": {"fr": "Formation", "en": "Education and training"},
    "career": {"fr": "Évolutions possibles", "en": "Career paths"},
    "career_graph": {
        "fr": "Les évolutions possibles depuis le métier : {role}",
        "en": "Where one can go from the role: {role}",
    },
    "technical": {"fr": "Voie technique", "en": "Technical path"},
    "management": {"fr": "Voie managériale", "en": "Management path"},
    "related": {"fr": "Métiers proches", "en": "Similar roles"},
    "also_called": {"fr": "Aussi appelé : {names}.", "en": "Also called: {names}."},
    "call_title": {
        "fr": "Vous recherchez un candidat pour ce métier ?",
        "en": "Are you looking for a candidate for this job?",
    },
    "call_text": {
        "fr": "Les compétences de cette fiche sont déjà dans le formulaire : il ne reste qu’à les ajuster.",
        "en": "The skills of this sheet are already in the form: adjust them to what you are after.",
    },
    "call_button": {"fr": "Parlez-nous de votre besoin", "en": "Tell us about your needs"},
    "missing_title": {"fr": "Cette page n’existe pas", "en": "There is no such page"},
    "missing_text": {
        "fr": "L’adresse a peut-être changé. Cherchez le métier ci-dessous, ou repartez de la liste.",
        "en": "The address may have changed. Search for the role below, or start from the list.",
    },
    "missing_close": {"fr": "Vous cherchiez peut-être", "en": "You may have been looking for"},
    "description": {
        "fr": "{title} : missions, compétences, formation et évolutions du métier.",
        "en": "{title}: tasks, skills, education and career paths of the role.",
    },
}

FAMILIES: dict[str, dict[str, str]] = {
    "software": {"fr": "Développement", "en": "Software"},
    "data": {"fr": "Données et IA", "en": "Data and AI"},
    "infrastructure": {"fr": "Infrastructure et cloud", "en": "Infrastructure and cloud"},
    "security": {"fr": "Sécurité", "en": "Security"},
    "architecture": {"fr": "Architecture", "en": "Architecture"},
    "management": {"fr": "Management", "en": "Management"},
    "product": {"fr": "Produit", "en": "Product"},
    "quality": {"fr": "Qualité", "en": "Quality"},
    "design": {"fr": "Design", "en": "Design"},
    "enterprise": {"fr": "Progiciels d’entreprise", "en": "Enterprise software"},
}

CATEGORIES: dict[str, dict[str, str]] = {
    "programming-language": {"fr": "Langages", "en": "Languages"},
    "framework": {"fr": "Frameworks et bibliothèques", "en": "Frameworks and libraries"},
    "front-end": {"fr": "Front-end", "en": "Front end"},
    "mobile": {"fr": "Mobile", "en": "Mobile"},
    "database": {"fr": "Bases de données", "en": "Databases"},
    "api": {"fr": "API", "en": "APIs"},
    "messaging": {"fr": "Messagerie et flux", "en": "Messaging and streaming"},
    "architecture": {"fr": "Architecture et conception", "en": "Architecture and design"},
    "version-control": {"fr": "Gestion de versions", "en": "Version control"},
    "server": {"fr": "Serveurs", "en": "Servers"},
    "container": {"fr": "Conteneurs", "en": "Containers"},
    "devops": {"fr": "DevOps et intégration continue", "en": "DevOps and continuous integration"},
    "infrastructure-as-code": {"fr": "Infrastructure as code", "en": "Infrastructure as code"},
    "cloud": {"fr": "Cloud", "en": "Cloud"},
    "operating-system": {"fr": "Systèmes d’exploitation", "en": "Operating systems"},
    "network": {"fr": "Réseaux", "en": "Networks"},
    "virtualisation-storage": {"fr": "Virtualisation et stockage", "en": "Virtualisation and storage"},
    "observability": {"fr": "Supervision", "en": "Observability"},
    "security": {"fr": "Sécurité", "en": "Security"},
    "testing": {"fr": "Tests", "en": "Testing"},
    "data-engineering": {"fr": "Ingénierie des données", "en": "Data engineering"},
    "business-intelligence": {"fr": "Informatique décisionnelle", "en": "Business intelligence"},
    "ai": {"fr": "Science des données et IA", "en": "Data science and AI"},
    "erp-crm": {"fr": "ERP et CRM", "en": "ERP and CRM"},
    "cms-ecommerce": {"fr": "CMS et e-commerce", "en": "CMS and e-commerce"},
    "low-code": {"fr": "Low-code et automatisation", "en": "Low-code and automation"},
    "embedded": {"fr": "Embarqué et électronique", "en": "Embedded systems"},
    "design": {"fr": "Design", "en": "Design"},
    "office": {"fr": "Bureautique", "en": "Office tools"},
    "project-tool": {"fr": "Outils de gestion de projet", "en": "Project tools"},
    "method": {"fr": "Méthodes", "en": "Methods"},
    "certification": {"fr": "Certifications", "en": "Certifications"},
    "soft-skill": {"fr": "Qualités humaines", "en": "Soft skills"},
    "human-language": {"fr": "Langues", "en": "Human languages"},
}
"""In the order in which a sheet shows them."""


def name_of(names: dict[str, dict[str, str]], slug: str, locale: Locale) -> str:
    """How a family or category is called; one that a curator made up is called by its slug."""
    return names[slug][locale.value] if slug in names else slug.replace("-", " ").capitalize()
