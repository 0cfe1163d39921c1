"""SQL of migration 0001: the journal's tables, triggers, partitions and grants (audit.md 1, 6)."""

CREATE = """
SET LOCAL ROLE audit_owner;

CREATE SEQUENCE audit_event_seq AS bigint;

CREATE TABLE audit_event (
    seq bigint NOT NULL,
    epoch smallint NOT NULL,
    xid xid8 NOT NULL,
    db_user text NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event_id uuid NOT NULL,
    writer smallint NOT NULL CHECK (writer IN (1, 2, 3)),
    type text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 5),
    retention text NOT NULL CHECK (retention IN ('access', 'security', 'contract')),
    schema_ver smallint NOT NULL,
    organisation_id uuid,
    actor_type text NOT NULL
        CHECK (actor_type IN ('user', 'integration', 'system', 'visitor', 'db')),
    actor_id uuid,
    on_behalf_of uuid,
    credential_id uuid,
    session_tag bytea,
    target_type text,
    target_id text,
    request_id uuid,
    net cidr,
    cc char(2),
    asn bigint,
    body text NOT NULL,
    actor_sealed bytea,
    actor_key bytea CHECK (octet_length(actor_key) = 8),
    subject_sealed bytea,
    subject_key bytea CHECK (octet_length(subject_key) = 8),
    mac bytea CHECK (octet_length(mac) = 32),
    mac_key smallint,
    CHECK (writer = 3 OR mac IS NOT NULL),
    PRIMARY KEY (occurred_at, retention, seq)
) PARTITION BY RANGE (occurred_at);

CREATE INDEX audit_event_order ON audit_event (epoch, xid, seq);
CREATE INDEX audit_event_actor ON audit_event (actor_id, occurred_at);
CREATE INDEX audit_event_target ON audit_event (target_type, target_id, occurred_at);
CREATE INDEX audit_event_organisation ON audit_event (organisation_id, occurred_at);
CREATE INDEX audit_event_request ON audit_event (request_id);
CREATE INDEX audit_event_id ON audit_event (event_id);
CREATE INDEX audit_event_behalf ON audit_event (on_behalf_of, occurred_at)
    WHERE on_behalf_of IS NOT NULL;
CREATE INDEX audit_event_time ON audit_event USING brin (occurred_at);

-- Whatever the writer sends, these columns are the database's. A time of the last second is kept,
-- because the row was routed to its month before this trigger runs.
CREATE FUNCTION audit_event_before_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    NEW.seq := nextval('public.audit_event_seq');
    NEW.epoch := 1;
    NEW.xid := pg_current_xact_id();
    NEW.db_user := session_user;
    IF NEW.occurred_at NOT BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp()
    THEN
        NEW.occurred_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_event_insert BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_before_insert();
CREATE TRIGGER audit_event_keep BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_event_keep_all BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_insert;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_keep;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_keep_all;

-- TRUNCATE triggers are not cloned to partitions, and a clone may lose ENABLE ALWAYS.
CREATE FUNCTION audit_guard_partition(partition text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_event_keep_all BEFORE TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse()', partition);
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_event_insert', partition);
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_event_keep', partition);
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_event_keep_all', partition);
END $$;

CREATE FUNCTION audit_make_partitions(ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    first timestamp;
    month text;
    kind text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_make_partitions'));
    FOR step IN 0 .. least(greatest(ahead, 0), 24) LOOP
        first := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')
                 + make_interval(months => step);
        month := 'audit_event_' || to_char(first, 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || month) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_event '
                       'INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY LIST (retention)',
                       month);
        FOREACH kind IN ARRAY ARRAY['access', 'security', 'contract'] LOOP
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES IN (%L)',
                           month || '_' || kind, month, kind);
        END LOOP;
        EXECUTE format('ALTER TABLE public.audit_event ATTACH PARTITION public.%I '
                       'FOR VALUES FROM (%L) TO (%L)', month, first || '+00',
                       (first + interval '1 month') || '+00');
        PERFORM public.audit_guard_partition(month);
        FOREACH kind IN ARRAY ARRAY['access', 'security', 'contract'] LOOP
            PERFORM public.audit_guard_partition(month || '_' || kind);
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT;
SELECT audit_guard_partition('audit_event_default');
SELECT audit_make_partitions(3);

CREATE TABLE audit_leaf (
    idx bigint PRIMARY KEY,
    epoch smallint NOT NULL,
    seq bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    retention text NOT NULL,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    UNIQUE (epoch, seq)
);
CREATE TABLE audit_tile (
    level smallint NOT NULL,
    idx bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 256 * 32),
    PRIMARY KEY (level, idx)
);
CREATE TABLE audit_checkpoint (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    epoch smallint NOT NULL,
    horizon xid8 NOT NULL,
    note text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX audit_checkpoint_size ON audit_checkpoint (epoch, size);
CREATE TABLE audit_anchor (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size bigint NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    receipt bytea,
    anchored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit_epoch (
    number smallint PRIMARY KEY,
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    opened_by text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO audit_epoch (number, system_identifier, timeline, opened_by, reason)
    SELECT 1, s.system_identifier::text, c.timeline_id, session_user, 'installation'
    FROM pg_control_system() AS s, pg_control_checkpoint() AS c;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['audit_leaf', 'audit_tile', 'audit_anchor', 'audit_epoch',
                                'audit_checkpoint'] LOOP
        EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER keep', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER keep_all', kept);
    END LOOP;
END $$;

-- One person's entries. Without the setting there are no rows.
CREATE VIEW audit_own_history WITH (security_barrier) AS
    SELECT * FROM audit_event
    WHERE actor_id = nullif(current_setting('gatehouse.subject', true), '')::uuid
       OR on_behalf_of = nullif(current_setting('gatehouse.subject', true), '')::uuid
       OR (target_type = 'person'
           AND target_id = nullif(current_setting('gatehouse.subject', true), ''));

-- The only way entries go: a whole partition, once its dropping stands sealed in the journal.
CREATE FUNCTION audit_drop_partition(partition text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF partition !~ '^audit_event_[0-9]{6}_(access|security|contract)$'
       OR to_regclass('public.' || partition) IS NULL THEN
        RAISE EXCEPTION 'there is no journal partition %', partition;
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.audit_event AS entry
        JOIN public.audit_leaf AS leaf ON leaf.epoch = entry.epoch AND leaf.seq = entry.seq
        JOIN public.audit_checkpoint AS sealed ON sealed.size > leaf.idx
        WHERE entry.type = 'audit.partition.dropped' AND entry.target_type = 'audit.partition'
          AND entry.target_id = partition
    ) THEN
        RAISE EXCEPTION 'dropping % is not sealed in the journal', partition
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DROP TABLE public.%I', partition);
END $$;

REVOKE ALL ON FUNCTION audit_event_before_insert(), audit_refuse(), audit_guard_partition(text),
    audit_make_partitions(integer), audit_drop_partition(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_make_partitions(integer) TO gatehouse_app;
GRANT EXECUTE ON FUNCTION audit_drop_partition(text) TO gatehouse_retention;

GRANT INSERT ON audit_event TO gatehouse_app;
GRANT SELECT ON audit_event, audit_own_history, audit_leaf, audit_tile, audit_checkpoint,
    audit_anchor, audit_epoch TO gatehouse_journal_reader, gatehouse_backup;
GRANT SELECT ON audit_event_seq TO gatehouse_backup;
GRANT SELECT ON audit_event, audit_epoch TO gatehouse_sealer;
GRANT SELECT, INSERT ON audit_leaf, audit_tile, audit_checkpoint, audit_anchor
    TO gatehouse_sealer;

RESET ROLE;

-- Tables that Django made before this step. The web role keeps what it needs of them.
REVOKE UPDATE ON audit_subject, audit_day_key FROM gatehouse_app;
REVOKE DELETE ON audit_cursor, audit_dead_letter, audit_day_key FROM gatehouse_app;
REVOKE DELETE ON alert, alert_delivery, alert_channel FROM gatehouse_app;
GRANT SELECT ON audit_subject, audit_cursor, audit_day_key TO gatehouse_journal_reader;
"""

DROP = """
SET LOCAL ROLE audit_owner;
DROP VIEW audit_own_history;
DROP TABLE audit_event, audit_leaf, audit_tile, audit_checkpoint, audit_anchor, audit_epoch;
DROP FUNCTION audit_event_before_insert(), audit_refuse(), audit_guard_partition(text),
    audit_make_partitions(integer), audit_drop_partition(text);
DROP SEQUENCE audit_event_seq;
RESET ROLE;
"""
