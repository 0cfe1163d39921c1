"""The rules of sealed fields, one line each: what a reader may rely on.

``docs/security/cryptography.md`` prints this list; tests compare both, and hold a case for each.
"""

from enum import Enum


class Rule(Enum):
    """One rule; the value is its short name in the documents."""

    # Reading and writing
    READ_GIVES_SEALED = "a read gives ciphertext that prints as <Sealed>"
    OPENS_ON_TOUCH = "a value opens on first touch"
    NO_PLACEHOLDER = "the column is bytes, without a placeholder of its own"
    NO_PLAINTEXT_IN_SQL = "no plaintext reaches a statement"
    OWNER_IS_COMPARED = "opening compares the key's owner with the row's"
    MOVE_TO_ORGANISATION = "a change of organisation seals anew, touched or not"
    MOVE_TO_SUBJECT = "a change of subject seals anew, touched or not"
    OWNERS_ARE_LOADED = "key and owners join every only and defer"
    CLONE = "a clone by pk=None is sealed for its own row"
    EMPTY_AND_NONE = "empty and none stay distinct"
    # Pickles
    PICKLE_DROPS_PLAINTEXT = "a pickle keeps ciphertext and drops what was opened"
    PICKLE_SEALS = "a pickle seals what was not saved"
    PICKLE_REFUSES = "a pickle of what cannot be sealed is refused"
    IDS_ONLY = "sessions and task messages take no sealed value"
    # Migrations
    MIXIN_STAYS = "the mixin stays in the bases of historical models"
    MANAGER_IN_MIGRATIONS = "the manager goes into migrations"
    HISTORICAL_MODELS = "historical models read and write"
    # What works
    SAVE = "save"
    BULK_CREATE = "bulk_create"
    UPSERT = "bulk_create with update_conflicts"
    BULK_UPDATE = "bulk_update"
    UPDATE_TO_NONE = "update to None"
    ONLY = "only"
    DEFER = "defer"
    SELECT_RELATED = "select_related"
    ISNULL = "isnull"
    PREFETCH_RELATED = "prefetch_related"
    REVERSE_MANAGER = "reverse managers"
    IN_BULK = "in_bulk"
    GET_OR_CREATE = "get_or_create and update_or_create by plain columns"
    UNION = "union, intersection and difference of whole rows"
    SUBQUERY = "Subquery and Exists on plain columns"
    RAW = "raw queries"
    PROXY = "proxy models"
    INHERITED_TABLE = "multi-table inheritance"
    ITERATOR = "iterator"
    ASYNC = "the async interface"
    REFRESH = "refresh_from_db"
    MATCHING = "lookup and matching by the blind index"
    # What is refused
    UPDATE_TEXT = "update with plaintext"
    UPDATE_F = "update with F()"
    UPDATE_CASE = "update with Case/When"
    FILTER = "filter"
    EXCLUDE = "exclude"
    LOOKUPS = "every look-up but isnull"
    CONDITION_ON_CIPHERTEXT = "conditions that read ciphertext"
    ORDER_BY = "order_by"
    DISTINCT = "distinct"
    GROUP_BY = "group by"
    AGGREGATE = "aggregates"
    ANNOTATE = "annotations of ciphertext"
    SET_OPERATION = "union of chosen ciphertext"
    # What is masked
    VALUES = "values"
    VALUES_LIST = "values_list"
    SERIALISERS = "serialisers"
    DUMPDATA = "dumpdata and loaddata carry stored bytes"
    ADMIN_LOG = "the admin log"
    EXPORTS = "exports open values where they ask for them"
    # What cannot be opened
    ERASED = "a key whose owner was erased"
    KEY_LOST = "a key that nobody erased"
    KEYS_AWAY = "keys database away"
    TAMPERED = "a changed value"
    # Keys of lists
    PRELOAD = "a list loads its keys in one query"
    CAPACITY = "a process holds 20,000 keys at most"
