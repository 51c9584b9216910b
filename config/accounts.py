"""Who may sign in, and how: a code by e-mail for those without a password, a password for staff."""

import logging
import threading

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMessage

from dissent.forms.sign_in import AskForCode

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": "That is not the code we sent. Check the newest message, or ask for another",
        "email_password_mismatch": "The e-mail address or the password is wrong. Check both and try again",
        "too_many_login_attempts": "There were too many tries. Wait five minutes and try again",
    }

    def is_open_for_signup(self, request) -> bool:
        """Nobody makes an account for themselves: people are recorded by those who work with them."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send in the background.

        An answer that waited for the mail server only where an address is known would tell a stranger
        which addresses are known.
        """
        message = self.render_mail(template_prefix, email, {"email": email, **context})
        threading.Thread(target=_deliver, args=[message], name="sign-in-mail", daemon=True).start()


def _deliver(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        log.exception("A sign-in code was not sent. The person can ask for another.")


class RequestCodeForm(AskForCode):
    """Sends no code to a person who has a password, and says nothing about which addresses those are."""

    def clean_email(self) -> str:
        email = super().clean_email()
        if self._user and self._user.has_usable_password():
            self._user = None
        return email
