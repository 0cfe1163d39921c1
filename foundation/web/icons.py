"""The icons of the product: names of Lucide, built into ``static/web/icons.svg`` by bin/icons."""

NAMES = frozenset(
    """
    activity archive arrow-down arrow-left arrow-right arrow-up badge-check bell book-open briefcase
    building-2 calendar check chevron-down chevron-left chevron-right chevrons-up-down circle
    circle-alert circle-check circle-help circle-x clipboard-list clock cog copy database download
    external-link eye eye-off file-text filter fingerprint flask-conical folder globe hard-drive
    history house inbox info key key-round languages layout-dashboard life-buoy link list lock
    log-in log-out mail menu megaphone monitor moon network package pencil plug plus power receipt
    refresh-cw scale search send server settings shield shield-alert shield-check smartphone sun
    terminal ticket trash-2 triangle-alert upload user user-check user-plus user-x users vault
    webhook x zap
    """.split()
)
