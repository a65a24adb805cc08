"""Names and contacts out of a CV's text, for who reads it blind. Pure.

What is masked: the person's name in every spelling that is likely (accents, case, initials, letter-spaced,
joined as in a user name), the name that heads the CV or speaks from its e-mail address where nobody told us
one, e-mail addresses, links, phone numbers, postal addresses, and lines about birth and family. Where in
doubt, more is masked: a masked word costs a consultant little, a name that shows breaks a promise.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

HIDDEN = "▒▒▒▒"
_HEAD_LINES = 12
_NOTHING = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "’": "'", "ʼ": "'", "‐": "-", "‑": "-"}
)
_PARTICLE_WORDS = """
al ap bin ben da das de del della der des di do dos du el la las le les los mac mc o saint st van von y zu ter
den abu ibn d
"""
PARTICLES = frozenset(_PARTICLE_WORDS.split())
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_BEFORE_STREET = r"(?<!\d)\d{1,4} {0,3}(?:(?:bis|ter|quater|[a-d]\b) {0,3})?,? {0,3}"
_STREETS = (
    r"rue|avenue|av\.|ave\.?|boulevard|bd\.?|blvd\.?|place|allees?|chemin|impasse|route|quai|cours|square|"
    r"lotissement|residence|passage|villa|sentier|montee|faubourg|esplanade|promenade|hameau|ruelle|voie"
)
_STREETS_EN = (
    r"street|st\.?|road|rd\.?|avenue|ave\.?|lane|ln\.?|drive|dr\.?|court|way|terrace|crescent|close|"
    r"strasse|str\."
)
_WITHOUT_NUMBER = _STREETS.partition("|lotissement")[0]
_PATTERNS = [
    # E-mail, also as "name (at) host"; links and profiles; user names after an @.
    r"(?<![\w.+'-])[\w.+'-]{1,64} ?(?:@|\(at\)|\[at\]|\(arobase\)) ?"
    r"[\w-]{1,63}(?: ?(?:\.|\(dot\)|\[dot\]) ?[\w-]{1,63}){1,6}",
    r"(?:https?|ftp)://\S+|(?<!\w)www\.\S+",
    r"(?<![\w.-])(?:[\w-]{1,63}\.){1,6}(?:com|fr|org|eu|be|ch|lu|de|es|it|uk|me|info|pro|tech|page|site|name|"
    r"tn|ma|dz|ca)(?:/\S*)?(?![\w.]?\w)",
    r"(?<![\w.-])(?!(?:asp|ado|vb|ml|socket|draw)\.)[\w-]{1,63}\.(?:net|io|dev|app|co|ai)(?:/\S*|(?![\w.]?\w))",
    r"(?:linkedin|github|gitlab|bitbucket|twitter|facebook|instagram|skype|viadeo|medium|kaggle|malt|telegram)"
    r"(?:\.\w+)?(?:/| {0,3}: {0,3}/?) {0,3}\S[^\n|•,;]*",
    r"(?<![\w.])@\w[\w.-]+",
    # Phone numbers: with a country's prefix, as in France, and any long run of digits in groups.
    r"(?:\+|(?<!\d)00) ?\(?\d{1,3}\)?(?:[ .\-/()]{0,4}\d){6,13}",
    r"(?<![\d/.])\(?0\)? ?[1-9](?:[ .\-/]{0,3}\d{2}){4}(?!\d)",
    r"(?<![\d/.-])(?!(?:19|20)\d\d[ .-])(?=(?:\D{0,2}\d){9})"
    r"\(?\d{2,5}\)?(?:[ .-]\d{2,5}){2,5}(?<!000)(?![\d/])",
    r"(?<!\d)\d{9,15}(?!\d)",
    # Postal addresses.
    rf"{_BEFORE_STREET}(?:{_STREETS})\b[^\n|•]*",
    rf"{_START}(?:{_WITHOUT_NUMBER}) {{1,3}}(?:de |du |des |de la |d'|l')[^\n|•]{{3,60}}?\d{{5}}[^\n|•]*",
    rf"(?<!\d)\d{{1,5}}[a-d]?,? {{1,3}}(?:[^\W\d_]+\.? {{1,3}}){{1,3}}(?:{_STREETS_EN}){_END}[^\n|•]*",
    r"(?<![^\W_])(?:p\.?o\.? box|bp|cs) {0,3}\d{2,6}[^\n|•]*",
    r"(?<![\w.,])(?<!iso )(?:f-|b-|ch-|l-)?\d{5} {0,3},? {1,3}[^\W\d_][^\W\d_'-]+"
    r"(?:[ '-][^\W\d_]+){0,4}"
    r"(?: {1,3}cedex(?: {0,3}\d+)?)?",
    r"(?<![^\W_])[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}(?![^\W_])",
    # Lines that say who somebody is, or lead to them.
    rf"{_START}(?:tel(?:ephone)?|mobile|portable|phone|cell|gsm|fax|e-?mail|courriel|mel|adresse|address|"
    r"domicile|skype|whatsapp|telegram|linkedin|github|site(?: web)?|website|portfolio|blog)"
    r" {0,3}(?:\.|\([^)\n]*\))? {0,3}:[^\n|•]*",
    rf"{_START}(?:nom(?: de (?:famille|naissance|jeune fille))?|prenoms?|"
    r"(?:full |first |last |sur|family |maiden )?name) {0,3}:[^\n|•]*",
    rf"{_START}(?:nee? {{0,3}}(?:\(e\))? {{1,3}}le\b|date (?:et lieu )?de naissance|date of birth|"
    r"born (?:on|in)\b|lieu de naissance|place of birth|nationalite|nationality|"
    r"situation (?:familiale|de famille)|etat civil|"
    r"marital status|permis de travail|passport|passeport|n.? (?:de )?securite sociale)[^\n|•]*",
    rf"{_START}(?:sexe|gender|age) {{0,3}}:[^\n|•]*",
    rf"{_START}\d{{2}} {{1,3}}(?:ans|years old)(?= {{0,3}}(?:$|[,;|•\n)]|celibataire|marie|permis|-|–))",
]
_CONTACTS = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.MULTILINE)
_TITLES = "cv curriculum vitae resume of de m. mme mr mrs ms mr. mrs. ms."
_BEFORE_A_NAME = frozenset(_TITLES.split())
_WORD = re.compile(r"[^\W\d_]+")
_HEADING_WORDS = """
curriculum vitae cv resume profil profile contact contacts coordonnees competences skills experience
formation formations education langues languages objectif summary about projets projects senior junior lead
confirme consultant consultante developpeur developpeuse developer engineer ingenieur ingenieure architect
architecte manager chef cheffe directeur directrice director data analyst analyste technicien technicienne
administrateur administratrice administrator responsable expert experte tech full stack back front end devops
web software logiciel product owner scrum master freelance etudiant student professionnel professionnelle
professional professionnelles technique techniques personal informations information details dossier de des et
and of the en a au la le les it rh cto cio
"""
_HEADINGS = frozenset(_HEADING_WORDS.split())


@dataclass(frozen=True)
class Folded:
    """A text as it is compared (no case, no accents, nothing invisible), and where each character was."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.places[start], self.places[end - 1] + 1


def folded(text: str) -> Folded:
    out: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char in _NOTHING:
            continue
        plain = unicodedata.normalize("NFKD", char.casefold()).translate(_LETTERS)
        for one in plain:
            if not unicodedata.combining(one):
                out.append(one if not one.isspace() or one == "\n" else " ")
                places.append(place)
    return Folded("".join(out), tuple(places))


class Mask:
    """Hides one person in texts. `is_known` says of a word whether it names a skill or a role's title."""

    def __init__(
        self,
        names: Iterable[str | None],
        emails: Iterable[str | None] = (),
        phones: Iterable[str | None] = (),
        *,
        cv_text: str = "",
        is_known: Callable[[str], bool] = lambda _word: False,
    ) -> None:
        told = [name for name in names if name]
        head = _head_name(cv_text, is_known)
        parts = [*told, *([head] if head else [])]
        addresses = [email for email in emails if email] + _addresses(cv_text)
        self._names = _names_pattern(parts, _speaking(addresses, cv_text, is_known))
        self._phones = [_digits_pattern(phone) for phone in phones if phone]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """What is hidden of `text`, in order, without overlaps."""
        plain = folded(text)
        patterns = [_CONTACTS, *filter(None, (self._names, *self._phones))]
        found = [
            plain.span(*match.span())
            for one in patterns
            for match in one.finditer(plain.text)
            if match.group()
        ]
        return _merged(_trimmed(text, found))

    def apply(self, text: str) -> str:
        out, last = [], 0
        for start, end in self.spans(text):
            out += [text[last:start], HIDDEN]
            last = end
        return "".join([*out, text[last:]])


def _names_pattern(names: Sequence[str], more: Sequence[str]) -> re.Pattern[str] | None:
    """Each part alone; particles and initials only beside a part; joined spellings as in user names."""
    strong: dict[str, None] = {}
    joined: dict[str, None] = {}
    weak: set[str] = set()
    for name in names:
        words = [word for spelling in _spellings(name) for word in _WORD.findall(folded(spelling).text)]
        for word in words:
            if len(word) < 2 or word in PARTICLES:
                weak.add(word)
            else:
                strong[word] = None
        own = list(dict.fromkeys(word for word in words if len(word) > 1))[:6]
        for first, last in permutations(own, 2):
            joined |= dict.fromkeys((first + last, first[0] + last, last + first[0], first[:2] + last))
        # `delafontaine`, `JeanEric`
        for start in range(len(words) - 1):
            joined["".join(words[start:])] = None
            joined[words[0][0] + "".join(words[start + 1 :])] = None
    strong |= dict.fromkeys(word for word in more if word not in PARTICLES)
    if not strong:
        return None
    alternatives = [re.escape(word) for word in strong]
    alternatives += [re.escape(word) for word in joined if len(word) > 4]
    core = f"(?:{'|'.join(sorted(alternatives, key=len, reverse=True))})"
    initials = "".join(sorted({word[0] for word in strong}))
    beside = "|".join([*(re.escape(word) for word in sorted(weak)), rf"[{initials}]\.?"])
    apart = r"[ .'_-]{1,3}"
    spaced = "|".join(" ".join(word) for word in strong if len(word) > 2) or "(?!)"
    return re.compile(
        rf"{_START}(?:{spaced}){_END}|"
        rf"{_START}(?:(?:{beside}){apart}){{0,3}}{core}(?:{apart}(?:{beside}){_END}(?! [^\W\d_] )){{0,2}}"
        rf"(?:\d{{1,4}})?{_END}"
    )


def _spellings(name: str) -> list[str]:
    """As written, and with ä, ö, ü as German writes them out."""
    composed = unicodedata.normalize("NFC", name)
    written_out = composed.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return [composed, written_out] if written_out != composed.casefold() else [composed]


def _head_name(cv_text: str, is_known: Callable[[str], bool]) -> str | None:
    """The first of the CV's first lines that reads as a name: two to four capitalised words, none known."""
    lines = [line.strip() for line in cv_text.splitlines() if line.strip()][:_HEAD_LINES]
    for line in lines:
        # `Name | Title`, `Name - Title`, `CV Name`
        for piece in re.split(r"\s[|–—-]\s|[|•,:/]|\t| {3,}", line):
            words = [word for word in re.split(r"[\s_]+", piece.strip()) if word]
            spaced = len(words) > 4 and all(len(word) == 1 for word in words)
            if spaced:
                return "".join(words)
            bare = [word for word in words if folded(word).text not in _BEFORE_A_NAME]
            if 2 <= len(bare) <= 4 and all(_name_like(word, is_known) for word in bare):
                return " ".join(bare)
    return None


def _name_like(word: str, is_known: Callable[[str], bool]) -> bool:
    plain = folded(word).text
    if plain in PARTICLES or re.fullmatch(r"[A-Z]\.", word):
        return True
    if not re.fullmatch(r"[^\W\d_]+(?:['’\-‐‑][^\W\d_]+)*", word) or not word[0].isupper():
        return False
    return plain not in _HEADINGS and not is_known(plain)


def _addresses(cv_text: str) -> list[str]:
    return re.findall(r"(?<![\w.+'-])[\w.+'-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}", cv_text)[:10]


def _speaking(emails: Sequence[str], cv_text: str, is_known: Callable[[str], bool]) -> list[str]:
    """Names that stand in an address's local part and, with a capital, among the CV's first lines."""
    head = {
        folded(word).text
        for line in [line for line in cv_text.splitlines() if line.strip()][:_HEAD_LINES]
        for word in _WORD.findall(line)
        if word[0].isupper()
    }
    found = [
        part
        for email in emails
        for part in _WORD.findall(folded(email.partition("@")[0]).text)
        if len(part) > 2 and part in head and part not in _HEADINGS and not is_known(part)
    ]
    local = ["".join(_WORD.findall(folded(email.partition("@")[0]).text)) for email in emails]
    # `jdupont@…` speaks of a "Dupont" in the head.
    longer = {word for word in head if len(word) > 3 and word not in _HEADINGS and not is_known(word)}
    found += [word for word in sorted(longer) if any(word in one for one in local)]
    return list(dict.fromkeys(found))


def _digits_pattern(phone: str) -> re.Pattern[str]:
    """The last nine digits in any grouping, with whatever prefix stands before them."""
    digits = re.sub(r"\D", "", phone)[-9:]
    return re.compile(r"(?:\+?\(?\d{1,4}\)?[ .\-/]{0,3})?" + r"[ .\-/()]{0,4}".join(digits))


def _trimmed(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without the white space at their ends, in order."""
    kept = []
    for start, end in spans:
        hidden = text[start:end].strip()
        if hidden:
            first = text.index(hidden, start)
            kept.append((first, first + len(hidden)))
    return sorted(kept)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without overlaps; what only a space or a hyphen parts is one, so that lengths of names do not show."""
    out: list[tuple[int, int]] = []
    for start, end in spans:
        if out and start <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out
