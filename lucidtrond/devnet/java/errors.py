"""Errors as java-tron prints them: the name of a Java class and its message."""


def printable(text: str) -> str:
    """Lone surrogates, which JSON can escape and UTF-8 can't hold, become ``?``."""
    return text.encode("utf-8", "replace").decode()


class JavaError(Exception):
    """Becomes ``{"Error": "class NAME : MESSAGE"}`` with status 200."""

    def __init__(self, java_class: str, message: str) -> None:
        super().__init__(printable(f"class {java_class} : {message}"))
        self.message = printable(message)


class PlainError(Exception):
    """Becomes ``{"Error": TEXT}``: some servlets print no class."""


def null_pointer() -> JavaError:
    """What java-tron says of most things that are missing."""
    return JavaError("java.lang.NullPointerException", "null")


def bad_hex(
    why: str = "invalid characters encountered in Hex string",
) -> JavaError:
    """Hex that a servlet decodes by itself."""
    return JavaError(
        "org.bouncycastle.util.encoders.DecoderException",
        f"exception decoding Hex string: {why}",
    )


def beyond_hex(letter: str) -> JavaError:
    """Hex with a letter that the decoder's table has no place for."""
    unit = int.from_bytes(letter.encode("utf-16-be", "surrogatepass")[:2])
    return bad_hex(f"Index {unit} out of bounds for length 128")


def not_a_number(text: str | None) -> JavaError:
    """A query parameter that Long.parseLong refuses."""
    said = "Cannot parse null string" if text is None else f'For input string: "{text}"'
    return JavaError("java.lang.NumberFormatException", said)


def contract_invalid(reason: str) -> JavaError:
    """A builder's actuator refused."""
    return JavaError("org.tron.core.exception.ContractValidateException", reason)
