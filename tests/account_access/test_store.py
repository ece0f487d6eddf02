"""The store: migrated after a copy, append-only audit, claims that outlive nobody (laws 5 and 10, X7)."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exc, text

from account_access import audit, conversation, notices
from account_access.store import Store, claims, engine, migrate, tables
from account_access.store.engine import StoreOutdated, url_without_password

ROOT = Path(__file__).parents[2]


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


class TestMigrating:
    def test_new_store_needs_no_copy_and_is_readable_by_its_owner_alone(self, tmp_path):
        path = tmp_path / "var" / "store.db"
        assert migrate(url_of(path)) is None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        Store.open(url_of(path)).close()

    def test_migrated_store_is_left_alone(self, store_url):
        assert migrate(store_url) is None

    @pytest.mark.sqlite
    def test_older_store_is_copied_first(self, migrated, tmp_path, monkeypatch):
        """An older one, made by taking the newest step for one that is still to come."""
        path = tmp_path / "store.db"
        shutil.copy(migrated.removeprefix("sqlite:///"), path)
        with sqlite3.connect(path) as connection:
            connection.execute("INSERT INTO cursors VALUES ('kept', '1', '2026-11-24 00:00:00')")
        steps = tmp_path / "migrations"
        shutil.copytree(engine.MIGRATIONS, steps)
        newest = ScriptDirectory(str(engine.MIGRATIONS)).get_current_head()
        (steps / "versions" / "9999_more.py").write_text(
            f"from alembic import op\nimport sqlalchemy as sa\nrevision = 'b'\ndown_revision = '{newest}'\n"
            "def upgrade():\n    op.create_table('more', sa.Column('id', sa.Integer, primary_key=True))\n"
        )
        monkeypatch.setattr(engine, "MIGRATIONS", steps)
        copy = migrate(url_of(path))
        assert copy.parent == path.parent and copy.name.startswith("store.db.")
        with sqlite3.connect(copy) as old, sqlite3.connect(path) as new:
            assert old.execute("SELECT name FROM cursors").fetchall() == [("kept",)]
            assert new.execute("SELECT count(*) FROM more").fetchone() == (0,)
            assert old.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)

    @pytest.mark.sqlite
    def test_store_of_another_version_is_not_opened(self, store_url, tmp_path):
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'older'")
        with pytest.raises(StoreOutdated, match="schema is older"):
            Store.open(store_url)

    def test_store_that_is_not_there_is_not_made(self, tmp_path):
        with pytest.raises(StoreOutdated):
            Store.open(url_of(tmp_path / "absent.db"))
        assert not (tmp_path / "absent.db").exists()

    def test_schema_is_what_tables_says(self, store):
        with store.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = compare_metadata(context, tables.metadata)
        # What a column is for is told in tables.py alone.
        changes = [change for found in differences for change in (found if isinstance(found, list) else [found])]
        assert [change for change in changes if change[0] != "modify_comment"] == []

    def test_password_of_an_address_is_not_shown(self):
        assert url_without_password("postgresql://aa:hush@db/aa") == "postgresql://aa:***@db/aa"


class TestTransactions:
    def test_rolls_back_as_a_whole(self, world):
        with pytest.raises(RuntimeError), world.store.begin() as connection:
            conversation.say(connection, world.clock.now(), world.person().id, "c1", 0, "hello")
            raise RuntimeError
        assert world.rows(tables.inbox) == [] and world.rows(tables.conversations)[0]["last_seq"] == 0

    def test_reader_does_not_wait_for_a_writer(self, world):
        with world.store.begin() as connection:
            conversation.say(connection, world.clock.now(), world.person().id, "c1", 0, "hello")
            assert world.rows(tables.inbox) == []
        assert len(world.rows(tables.inbox)) == 1

    @pytest.mark.sqlite
    def test_power_cut_loses_nothing_that_was_acknowledged(self, store):
        with store.begin() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1

    @pytest.mark.sqlite
    def test_what_is_done_again_if_lost_does_not_wait_for_the_disk(self, store):
        with store.repeatable() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 1

    @pytest.mark.sqlite
    def test_connection_that_did_not_wait_waits_again_for_what_must_last(self, store):
        for _ in range(2):
            with store.repeatable() as connection:
                assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
            with store.begin() as connection:
                assert connection.execute(text("PRAGMA synchronous")).scalar() == 2

    def test_naive_instant_is_refused(self, world):
        values = {"name": "n", "value": "v", "moved_at": datetime(2026, 1, 1)}
        with pytest.raises(exc.StatementError, match="aware"), world.store.begin() as connection:
            connection.execute(tables.cursors.insert().values(**values))

    def test_nobody_without_a_conversation_is_spoken_to(self, world):
        with pytest.raises(KeyError), world.store.begin() as connection:
            conversation.say(connection, world.clock.now(), "nobody", "c1", 0, "hello")


class TestAudit:
    def write(self, world, key=None):
        with world.store.begin() as connection:
            audit.write(connection, world.clock.now(), "test", "act", "object", "done", world.person().id, key=key)

    REPLACED = (
        "REPLACE INTO audit (id, at, actor, act, object, result) SELECT id, at, actor, act, object, '' FROM audit"
    )

    STATEMENTS = (
        "UPDATE audit SET result = 'undone'",
        "DELETE FROM audit",
        pytest.param(REPLACED, marks=pytest.mark.sqlite),
    )

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_x7_the_database_itself_refuses_changes(self, world, statement):
        self.write(world)
        with pytest.raises(exc.DBAPIError, match="append-only"), world.store.begin() as connection:
            connection.execute(text(statement))
        assert [r["result"] for r in audit.about(world.store, world.person().id)] == ["done"]

    def test_record_with_a_key_is_written_once(self, world):
        for _ in range(2):
            self.write(world, key="k")
            self.write(world)
        assert len(audit.about(world.store, world.person().id)) == 3


CLAIMING = """
import sys, time
from datetime import datetime, timezone
from account_access import conversation
from account_access.clock import ManualClock
from account_access.store import Store
store = Store.open(sys.argv[1])
clock = ManualClock(datetime.fromisoformat(sys.argv[3]))
assert conversation.claim(store, clock, sys.argv[2], 3600)
print("claimed", flush=True)
time.sleep(60)
"""


class TestClaimsOfTheDead:
    def test_claim_of_a_killed_process_is_released_by_the_next_to_start(self, world, store_url):
        inbound = world.say("dana", "hello")
        arguments = [sys.executable, "-c", CLAIMING, store_url, inbound, world.clock.now().isoformat()]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout.readline() == "claimed\n"
            assert claims.release_of_the_dead(world.store) == 0
            assert not conversation.claim(world.store, world.clock, inbound, 30)
            process.kill()
        assert claims.release_of_the_dead(world.store) == 1
        assert conversation.claim(world.store, world.clock, inbound, 30)

    def test_own_claims_stay(self, world):
        conversation.claim(world.store, world.clock, world.say("dana", "hello"), 30)
        assert claims.release_of_the_dead(world.store) == 0

    @pytest.mark.parametrize(
        ("holder", "gone"),
        [
            ("another-host:1:1", False),
            ("{host}:999999999:5", True),
            ("{host}:{pid}:1", True),
            ("{host}:{pid}:{started}", False),
            ("{host}:x:1", True),
        ],
    )
    def test_only_who_is_certainly_gone_loses_a_claim(self, world, holder, gone):
        host, pid, started = claims.holder().rsplit(":", 2)
        name = holder.format(host=host, pid=pid, started=started)
        notice = self.claimed_notice(world, name)
        assert claims.release_of_the_dead(world.store) == int(gone)
        assert (world.rows(tables.notices, id=notice)[0]["claimed_until"] is None) is gone

    def claimed_notice(self, world, name):
        with world.store.begin() as connection:
            notice = notices.create(
                connection, world.clock.now(), "key", notices.LOCKOUT, world.person().id, {"system": "okta"}
            )
            connection.execute(tables.notices.update().values(claimed_by=name, claimed_until=world.clock.now()))
        return notice
