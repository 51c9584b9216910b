"""The database itself refuses to change or delete a ledger entry, a published procedure and a frozen letter."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: a row is never changed or deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER ledger_only_grows BEFORE UPDATE OR DELETE ON dissent_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_is_never_emptied BEFORE TRUNCATE ON dissent_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER procedures_are_never_emptied BEFORE TRUNCATE ON councils_procedureversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER letters_are_never_emptied BEFORE TRUNCATE ON dissent_lettercontent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER procedure_never_changes BEFORE UPDATE OR DELETE ON councils_procedureversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER letter_never_changes BEFORE UPDATE OR DELETE ON dissent_lettercontent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
POSTGRESQL_BACK = """
DROP TRIGGER letters_are_never_emptied ON dissent_lettercontent;
DROP TRIGGER procedures_are_never_emptied ON councils_procedureversion;
DROP TRIGGER letter_never_changes ON dissent_lettercontent;
DROP TRIGGER procedure_never_changes ON councils_procedureversion;
DROP TRIGGER ledger_is_never_emptied ON dissent_ledgerentry;
DROP TRIGGER ledger_only_grows ON dissent_ledgerentry;
DROP FUNCTION refuse_change();
"""
FROZEN = {
    "dissent_ledgerentry": "id = NEW.id OR (council_id = NEW.council_id AND sequence = NEW.sequence)",
    "councils_procedureversion": "id = NEW.id OR (key = NEW.key AND number = NEW.number)",
    "dissent_lettercontent": "letter_id = NEW.letter_id",
}
"""Each table, and which row a new one would stand in the place of."""


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)
            return
        for table, same in FROZEN.items():
            # SQLite replaces a row (INSERT OR REPLACE) without asking the trigger on deleting.
            replaced = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608  our own words
            for act, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", replaced)):
                cursor.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {when} BEGIN "
                    f"SELECT RAISE(ABORT, '{table} only grows: a row is never changed or deleted'); END"
                )


def backwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_BACK)
            return
        for table in FROZEN:
            for act in ("update", "delete", "insert"):
                cursor.execute(f"DROP TRIGGER {table}_no_{act}")


class Migration(migrations.Migration):
    dependencies = [("dissent", "0001_initial"), ("councils", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
