"""The sender's tables.

``sending_payment`` is the intent and never changes; ``sending_attempt`` holds its
transactions, of which the `latest` has the payment's state (`buried`: abandoned);
``sending_recipient`` holds the recipients paid, with the ends of their addresses;
``sending_foreign`` transactions of ours that the journal did not know when a block
showed them (no `block_number`: a fork took the block back); ``sending_start``, in one
row, which file on which machine this database was when it was last started, and until
when it may be an old copy.
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
    # Timestamps carry the tags of idempotency keys now, which make ids distinct.
    Migration(
        OWNER,
        10,
        """
        DROP TABLE sending_clock;
        ALTER TABLE sending_attempt ADD COLUMN adopted FLAG NOT NULL DEFAULT 0;
        CREATE TABLE sending_foreign (
            txid BYTES NOT NULL,
            owner BYTES NOT NULL,
            tag BYTES NOT NULL,
            raw BYTES NOT NULL,
            signature BYTES NOT NULL,
            flag TEXT,
            recipient BYTES,
            asset TEXT,
            amount BYTES,
            expiration_ms INT64 NOT NULL,
            reference_number INT64 NOT NULL,
            block_number INT64,
            block_id BYTES,
            block_timestamp_ms INT64,
            contract_ret INT64,
            fee_sun INT64,
            arrived BYTES,
            proof TEXT,
            result TEXT NOT NULL DEFAULT '',
            committed FLAG NOT NULL DEFAULT 0,
            seen_ms INT64 NOT NULL,
            adopted FLAG NOT NULL DEFAULT 0,
            acknowledged_ms INT64,
            PRIMARY KEY (txid, owner)
        );
        CREATE INDEX sending_foreign_tag ON sending_foreign (owner, tag);
        CREATE INDEX sending_foreign_block ON sending_foreign (block_number);
        CREATE TABLE sending_start (
            one INT64 PRIMARY KEY CHECK (one = 1),
            identity TEXT NOT NULL,
            held_until_ms INT64,
            held_reason TEXT NOT NULL DEFAULT ''
        )
        """,
    ),
    # Who could write the file could have anything signed: see `sending.authenticity`.
    Migration(
        OWNER,
        11,
        """
        ALTER TABLE sending_payment ADD COLUMN mac BYTES;
        ALTER TABLE sending_attempt ADD COLUMN mac BYTES;
        ALTER TABLE sending_attempt ADD COLUMN renewal_mac BYTES;
        ALTER TABLE sending_recipient ADD COLUMN mac BYTES
        """,
    ),
    # Asked for each new payment, and for each block that shows a foreign transaction.
    Migration(
        OWNER,
        12,
        """
        CREATE INDEX sending_foreign_movement
            ON sending_foreign (recipient, asset, amount);
        CREATE INDEX sending_foreign_unexplained ON sending_foreign (owner)
            WHERE flag IS NULL AND adopted = 0 AND acknowledged_ms IS NULL
        """,
    ),
)
