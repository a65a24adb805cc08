"""What to ask a candidate about a skill, by its category in the taxonomy: in French and in English."""

PRACTICE: dict[str, tuple[str, str]] = {
    "ai": ("a-t-elle mis des modèles en production ?", "has this person put models into production?"),
    "api": (
        "a-t-elle conçu ou exploité de telles interfaces ?",
        "has this person designed or run such interfaces?",
    ),
    "architecture": ("dans quel projet l’a-t-elle appliqué ?", "in which project was it applied?"),
    "business-intelligence": (
        "quels rapports a-t-elle livrés avec ?",
        "which reports has this person delivered with it?",
    ),
    "certification": ("la certification est-elle encore valable ?", "is the certification still valid?"),
    "cloud": (
        "y a-t-elle exploité des services en production ?",
        "has this person run services on it in production?",
    ),
    "cms-ecommerce": ("a-t-elle livré des sites avec ?", "has this person delivered sites with it?"),
    "container": ("a-t-elle exploité des clusters ?", "has this person run clusters?"),
    "data-engineering": ("sur quels volumes l’a-t-elle pratiqué ?", "on what volumes of data was it used?"),
    "database": (
        "a-t-elle modélisé ou administré de telles bases ?",
        "has this person designed or run such databases?",
    ),
    "design": ("peut-elle montrer un travail fait avec ?", "can this person show work done with it?"),
    "devops": ("a-t-elle mis en place de telles chaînes ?", "has this person set up such pipelines?"),
    "embedded": ("sur quel matériel l’a-t-elle pratiqué ?", "on which hardware was it used?"),
    "erp-crm": ("sur quels modules a-t-elle travaillé ?", "on which modules has this person worked?"),
    "framework": (
        "quelle application a-t-elle construite avec ?",
        "which application has this person built with it?",
    ),
    "front-end": (
        "quelle interface a-t-elle construite avec ?",
        "which interface has this person built with it?",
    ),
    "infrastructure-as-code": (
        "a-t-elle décrit une infrastructure entière avec ?",
        "has this person described a whole infrastructure with it?",
    ),
    "messaging": ("l’a-t-elle exploité sous charge ?", "has this person run it under load?"),
    "method": ("dans quelle équipe l’a-t-elle pratiqué ?", "in which team was it practised?"),
    "mobile": ("quelle application a-t-elle publiée ?", "which app has this person published?"),
    "network": ("quel réseau a-t-elle administré avec ?", "which network has this person run with it?"),
    "observability": ("qu’a-t-elle supervisé avec ?", "what has this person monitored with it?"),
    "operating-system": (
        "combien de serveurs a-t-elle administrés ?",
        "how many servers has this person looked after?",
    ),
    "programming-language": (
        "a-t-elle livré du code dans ce langage ?",
        "has this person shipped code in it?",
    ),
    "security": ("dans quel contexte l’a-t-elle pratiqué ?", "in which setting was it practised?"),
    "server": ("l’a-t-elle exploité en production ?", "has this person run it in production?"),
    "testing": (
        "quels tests a-t-elle écrits ou menés avec ?",
        "which tests has this person written or led with it?",
    ),
    "virtualisation-storage": (
        "quel parc a-t-elle exploité avec ?",
        "which estate has this person run with it?",
    ),
}
OTHERWISE = ("l’a-t-elle déjà pratiqué, et où ?", "has this person worked with it, and where?")
