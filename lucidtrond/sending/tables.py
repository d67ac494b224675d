"""The sender's tables.

``sending_payment`` is the intent and never changes; ``sending_attempt`` holds its
transactions, of which the `latest` has the payment's state (`buried`: abandoned);
``sending_clock`` the last timestamp given to an owner's transactions, which makes their
ids distinct; ``sending_recipient`` the recipients paid, with the
ends of their addresses.
"""

from typing import Final

from lucidtrond.ports import Migration

OWNER: Final = "sending"

MIGRATIONS: Final = (
    Migration(
        OWNER,
        1,
        """
        CREATE TABLE sending_payment (
            seq SERIAL,
            payment_id TEXT NOT NULL UNIQUE,
            idempotency_key TEXT NOT NULL UNIQUE,
            content BYTES NOT NULL,
            owner BYTES NOT NULL,
            recipient BYTES NOT NULL,
            asset TEXT NOT NULL,
            amount BYTES NOT NULL,
            memo BYTES NOT NULL,
            created_ms INT64 NOT NULL
        );
        CREATE INDEX sending_payment_owner ON sending_payment (owner, seq);
        CREATE TABLE sending_attempt (
            txid BYTES PRIMARY KEY,
            payment_seq INT64 NOT NULL,
            number INT64 NOT NULL,
            raw BYTES NOT NULL,
            signature BYTES,
            reference_number INT64 NOT NULL,
            expiration_ms INT64 NOT NULL,
            state TEXT NOT NULL,
            unresolved FLAG NOT NULL,
            due_ms INT64,
            sent INT64 NOT NULL,
            last_sent_ms INT64,
            code TEXT,
            message TEXT NOT NULL,
            accepted FLAG NOT NULL,
            reason TEXT,
            block_number INT64,
            block_id BYTES,
            block_timestamp_ms INT64,
            contract_ret INT64,
            fee_sun INT64,
            updated_ms INT64 NOT NULL,
            UNIQUE (payment_seq, number)
        );
        CREATE INDEX sending_attempt_unresolved
            ON sending_attempt (unresolved, payment_seq);
        CREATE INDEX sending_attempt_due ON sending_attempt (due_ms);
        CREATE INDEX sending_attempt_block ON sending_attempt (block_number);
        CREATE TABLE sending_clock (
            owner BYTES PRIMARY KEY,
            last_ms INT64 NOT NULL
        )
        """,
    ),
    Migration(
        OWNER,
        2,
        """
        ALTER TABLE sending_payment ADD COLUMN fee_limit_sun INT64;
        ALTER TABLE sending_payment ADD COLUMN max_burn_sun INT64;
        ALTER TABLE sending_payment ADD COLUMN lifetime_ms INT64;
        ALTER TABLE sending_attempt ADD COLUMN fee_limit_sun INT64;
        ALTER TABLE sending_attempt ADD COLUMN burn_sun INT64;
        """,
    ),
    Migration(
        OWNER,
        3,
        """
        ALTER TABLE sending_attempt ADD COLUMN owner BYTES;
        UPDATE sending_attempt SET owner = (
            SELECT p.owner FROM sending_payment p WHERE p.seq = payment_seq
        );
        CREATE INDEX sending_attempt_owner ON sending_attempt (owner, unresolved);
        """,
    ),
    Migration(
        OWNER,
        4,
        """
        ALTER TABLE sending_payment ADD COLUMN deadline_ms INT64;
        ALTER TABLE sending_attempt ADD COLUMN latest FLAG NOT NULL DEFAULT 1;
        ALTER TABLE sending_attempt ADD COLUMN renewals INT64 NOT NULL DEFAULT 0;
        """,
    ),
    Migration(
        OWNER,
        5,
        """
        CREATE TABLE sending_recipient (
            recipient BYTES PRIMARY KEY,
            head TEXT NOT NULL,
            tail TEXT NOT NULL
        );
        CREATE INDEX sending_recipient_head ON sending_recipient (head);
        CREATE INDEX sending_recipient_tail ON sending_recipient (tail)
        """,
    ),
    Migration(
        OWNER,
        6,
        """
        ALTER TABLE sending_attempt ADD COLUMN buried FLAG NOT NULL DEFAULT 0;
        UPDATE sending_attempt SET buried = 1
            WHERE state = 'expired' AND renewals = 0
        """,
    ),
    Migration(
        OWNER,
        7,
        """
        ALTER TABLE sending_attempt ADD COLUMN arrived BYTES
        """,
    ),
    Migration(
        OWNER,
        8,
        """
        ALTER TABLE sending_attempt ADD COLUMN proof TEXT
        """,
    ),
    Migration(
        OWNER,
        9,
        """
        ALTER TABLE sending_payment ADD COLUMN kind TEXT NOT NULL
            DEFAULT 'trx_transfer';
        ALTER TABLE sending_payment ADD COLUMN details BYTES NOT NULL DEFAULT x'';
        UPDATE sending_payment SET kind = 'trc20_transfer' WHERE asset != 'TRX'
        """,
    ),
)
