"""The sign-in library's forms, made ours: labels, hints, sentences."""

from allauth.account.forms import ConfirmLoginCodeForm, LoginForm, RequestLoginCodeForm
from django import forms

from dissent.forms.base import Button, Kit

FULL_ADDRESS = "Enter an e-mail address in full, like name@council.example"


class AskForCode(Kit, RequestLoginCodeForm):
    """An address to send a sign-in code to."""

    buttons = (Button("Send the code"),)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        _word(
            self.fields["email"],
            label="Your e-mail address",
            hint="The one that the message about the conference or the case came to.",
            missing="Enter your e-mail address",
            invalid=FULL_ADDRESS,
        )


class ProveAddress(AskForCode):
    """An address that its owner proves, whether it is known here or not."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = (
            "Your own address at work. We send a code to it, and later whatever there is to read about your "
            "dissent."
        )


class EnterCode(Kit, ConfirmLoginCodeForm):
    """The code that came."""

    buttons = (Button("Sign in"),)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["code"], label="Sign-in code", missing="Enter the code from the message", width=10)


class Password(Kit, LoginForm):
    """An e-mail address and a password."""

    buttons = (Button("Sign in"),)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        _word(
            self.fields["login"],
            label="Your work e-mail address",
            missing="Enter your e-mail address",
            invalid=FULL_ADDRESS,
        )
        _word(self.fields["password"], label="Password", missing="Enter your password")


def _word(
    one: forms.Field, *, label: str, missing: str, hint: str = "", invalid: str = "", width: int | None = None
) -> None:
    one.label, one.help_text = label, hint
    one.error_messages.update({"required": missing, **({"invalid": invalid} if invalid else {})})
    one.widget.attrs.pop("placeholder", None)
    one.widget.attrs.pop("maxlength", None)
    if width:
        one.widget.attrs["class"] = f"govuk-input--width-{width}"
