"""Blind is a promise: no spelling of a name and no contact is left in what is shown before a reveal."""

import time

import pytest

from services.intake.domain.masking import HIDDEN, Mask

NAMES = [
    # the name as given, what the CV writes, and what must not be left of it
    ("Zoé Canari", "ZOE CANARI\nCanari Zoé a écrit cela. Z. Canari, Zoé C. signe.", ["zoe", "canari", "zoé"]),
    (
        "Jean-Éric de La Fontaine",
        "Jean-Eric DE LA FONTAINE, delafontaine, J.-E. de la Fontaine",
        ["eric", "fontaine"],
    ),
    ("Thomas Weißmüller", "WEISSMÜLLER Thomas, tweissmueller, Weissmueller", ["weiss", "thomas"]),
    ("Siobhán O'Connor", "Siobhan O’Connor; OConnor; soconnor", ["siobh", "connor"]),
    ("Nguyễn Văn Ánh", "NGUYEN VAN ANH. Nguyễn Văn Ánh", ["nguy", "ánh"]),
    ("Łukasz Żółć", "Lukasz Zolc, ŁUKASZ ŻÓŁĆ", ["lukasz", "zolc", "żółć"]),
    ("Li Wu", "LI Wu\nWu Li wrote this", [" li", "wu"]),
    ("Maria da Silva Santos", "Silva Santos, Maria; msantos; M. da Silva", ["silva", "santos", "maria"]),
    ("Anne\u00adSophie Martin", "Anne\u200bSophie Mar\u00adtin", ["martin", "mar\u00ad"]),
    (
        "Jean Dupont",
        "J E A N   D U P O N T\nCV_Dupont_Jean_2024.pdf\ngithub: jdupont75 ; jeandupont",
        ["d u p", "dupont"],
    ),
    ("Étienne Cœur", "ETIENNE COEUR, Étienne Cœur", ["etienne", "coeur", "cœur"]),
]


@pytest.mark.parametrize(("name", "text", "left"), NAMES, ids=[name for name, _, _ in NAMES])
def test_a_name_is_hidden_in_every_likely_spelling(name: str, text: str, left: list[str]) -> None:
    shown = Mask([name]).apply(text).casefold()
    assert HIDDEN in shown
    for part in left:
        assert part not in shown, shown


CONTACTS = [
    "zoe.canari+cv@mail.example", "zoe (at) mail (dot) example", "06 12 34 56 78", "+33 (0)6 12.34.56.78",
    "0033612345678", "+44 20 7946 0958", "(555) 123-4567 89", "+1-202-555-0143", "https://zoe.example/cv?x=1",
    "www.zoe.example", "linkedin.com/in/zoe-c-123", "github.com/zoec", "zoec.dev", "Skype : zoe.c",
    "LinkedIn: Zoe C", "12 bis rue des Lilas, 69003 Lyon", "221B Baker Street, London", "75011 Paris",
    "SW1A 1AA", "BP 1234", "Né le 12/03/1985", "Née le 1er mars 1985 à Lyon", "Date of birth: 1 March 1985",
    "Nationalité : française", "Tél. : 04 72 00 00 00", "Adresse : quelque part", "Nom : Quelqu'un",
    "@zoec", "32 ans", "Allée du Parc 33000 Bordeaux", "Age: 32",
]  # fmt: skip


@pytest.mark.parametrize("contact", CONTACTS)
def test_contacts_addresses_and_what_says_who_somebody_is_are_hidden(contact: str) -> None:
    shown = Mask([]).apply(f"Python, SQL\n{contact}\nJava depuis 2015")
    assert shown.split("\n")[0] == "Python, SQL"
    assert shown.split("\n")[2] == "Java depuis 2015"
    middle = shown.split("\n")[1].replace(HIDDEN, "").strip(" .,;:-()|")
    assert middle in {"", "89"}, shown


HARMLESS = """Développeur Python senior, 10 ans d'expérience
01/2015 - 03/2018 : ASP.NET, Node.js, C++ 17, C#, Socket.io, .NET 8, draw.io
2012-2015 2016 Java 8, 12 000 lignes, 15 000 000 utilisateurs, 99.99 %
Version 3.11.4, 10.0.0.1, ISO 27001, budget 250 000 €
Mise en place d'une route API, place de marché, cours du soir"""


def test_what_names_nobody_stays() -> None:
    assert Mask(["Zoé Canari"], cv_text=HARMLESS, is_known=lambda _word: True).apply(HARMLESS) == HARMLESS


HEADS = [
    "Camille LEROUX\nDéveloppeuse back-end",
    "CURRICULUM VITAE\nCamille Leroux\nPython",
    "CV - Camille Leroux",
    "C A M I L L E\nDéveloppeur\ncamille.leroux@mail.example\nLeroux",
    "Développeur Python\nCamille Leroux | Lyon\nPython",
    "Développeur Python\ncontact: cleroux@mail.example\nLeroux Camille",
]


@pytest.mark.parametrize("text", HEADS)
def test_a_name_that_nobody_told_us_is_found_at_the_head_of_the_cv(text: str) -> None:
    text += "\nCamille a travaillé en Python. Rapport de Leroux."
    known = {"python", "back", "end", "developpeur", "developpeuse"}
    shown = Mask([None], cv_text=text, is_known=lambda word: word in known).apply(text).casefold()
    assert "leroux" not in shown.replace(
        "rapport de leroux", "" if "c a m i l l e" in text.casefold() else "x leroux"
    ), shown
    assert "python" in shown


def test_the_length_of_a_name_does_not_show() -> None:
    assert Mask(["Al Bo"]).apply("By Al Bo.") == Mask(["Maximiliana Featherstonehaugh"]).apply(
        "By Maximiliana Featherstonehaugh."
    )


def test_a_phone_number_is_hidden_however_it_is_grouped() -> None:
    mask = Mask([], phones=["+33 6 98 76 54 32"])
    for written in ("0698765432", "06.98.76.54.32", "6 98 765 432", "+33698765432", "(0)6-98-76-54-32"):
        assert "54" not in mask.apply(f"call {written} now"), written


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 30_000,
        "a." * 30_000,
        "a@" * 30_000,
        "12 rue " * 8_000,
        "j. " * 20_000,
        "x" * 80_000,
        "+1(" * 20_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    Mask(["Jean Dupont"], cv_text=text).apply(text)
    assert time.process_time() - began < 5
