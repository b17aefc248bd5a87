"""Keep secrets out of the log."""

import logging
import re

SECRETS = (
    re.compile(r"(aha_[0-9a-f]{8}_)[\w-]+"),
    re.compile(r"(/login/)[\w-]{20,}"),
    re.compile(r"(://[^:/@\s]+:)[^@\s]+(?=@)"),
    re.compile(
        r"(?i)((?:authorization|x-api-key|password|secret_key)['\"]?\s*[=:]\s*(?:bearer\s+)?)\S+"
    ),
)


def redacted(text: str) -> str:
    """The text without keys, login links and passwords."""
    for pattern in SECRETS:
        text = pattern.sub(r"\1[hidden]", text)
    return text


class Redaction(logging.Filter):
    """Blank out secrets in whatever is logged, traces of errors included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it is always kept."""
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        return True
