"""What is typed for a child's record: its number, and the day on which the file was uploaded."""

from __future__ import annotations

from typing import Any

from django import forms

from dissent.forms.base import Button, Form
from dissent.forms.fields import DateField, Text, TextArea


class RecordNumberForm(Form):
    """The number of a child's record. `seen` holds the one that the page showed: none is overwritten."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    record_number = Text(label="Record number", max_length=60, width=20)
    because = TextArea(label="Why is it another one?", missing="Say why it is another one", rows=3)

    def __init__(self, *args: Any, words: str, there: str, back: str, **kwargs: Any) -> None:
        super().__init__(*args, initial={"seen": there}, **kwargs)
        number = self.fields["record_number"]
        number.label, number.error_messages["required"] = words, f"Enter the {words}"
        if not there:
            del self.fields["because"]
        self.buttons = (Button(f"Record the {words}"), Button("Cancel", href=back))


class UploadForm(Form):
    """The day on which the file was uploaded. `seen` holds which file the page showed."""

    buttons = (Button("I uploaded it"),)

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    uploaded_on = DateField(
        label="On which day did you upload it?",
        name="day on which you uploaded it",
        help_text="For example 17 3 2026.",
    )

    def __init__(self, *args: Any, file: str, **kwargs: Any) -> None:
        super().__init__(*args, initial={"seen": file}, **kwargs)
        self._file = file

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean()
        if said.get("seen") != self._file:
            self.data = {**self.data.dict(), "seen": self._file}
            self.add_error(None, "A newer file has been made since you opened this page. Upload that one.")
        return said
