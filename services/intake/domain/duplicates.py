"""Which needs may be one and the same: those of one company for one job. Pure."""

import re
import unicodedata

_LEGAL_FORMS = frozenset(
    {
        "sa", "sas", "sasu", "sarl", "eurl", "scop", "selarl", "se", "gmbh", "ag", "ltd", "limited", "llc",
        "llp", "inc", "corp", "plc", "bv", "nv", "srl", "spa", "sprl",
    }
)  # fmt: skip


def job_key(company: str, role_id: str | None, title: str) -> str:
    """Equal for the same company and job, whatever the case, accents, punctuation or legal form.

    The job is the catalogue's role where there is one, else the title.
    """
    words = _words(company)
    named = [word for word in words if word not in _LEGAL_FORMS] or words
    job = f"role {role_id}" if role_id else f"title {' '.join(_words(title))}"
    return f"{' '.join(named)} / {job}"


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    # "S.A.S." and "S A S" are one word.
    return re.findall(r"\w+", re.sub(r"\b(\w)\.(?=\w\b)", r"\1", plain))
