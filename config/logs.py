"""Log lines that say what broke and where, and nothing about anybody."""

import logging
import traceback


class WithoutValues(logging.Formatter):
    """Writes an exception as its type and its lines of code.

    The message of an exception is left out: a database quotes the row it refused, and a validator the
    text it was given.
    """

    def formatException(self, ei) -> str:
        _, error, _ = ei
        chain = []
        while error is not None:
            lines = "".join(traceback.format_tb(error.__traceback__))
            chain.append(f"{lines}{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nduring which\n".join(chain)
