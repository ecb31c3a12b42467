"""The languages of custom models; the API's enum holds more."""

from __future__ import annotations

from local.comprehend.errors import service_error

LANGUAGES = frozenset({"en", "es", "fr", "de", "it", "pt"})


def require_language(code: str) -> None:
    """Raise UnsupportedLanguageException for a language that no custom model knows."""
    if code not in LANGUAGES:
        raise service_error(
            "UnsupportedLanguageException",
            f"Custom models know the languages {', '.join(sorted(LANGUAGES))}, not {code}.",
        )
