"""Legal clocks: when a request must be answered."""

import calendar
from datetime import date


def one_month_after(start: date) -> date:
    """Return the same day of the next month, or its last day, never later.

    Source: GDPR art. 12(3) with Regulation 1182/71 art. 3.
    """
    year = start.year + start.month // 12
    month = start.month % 12 + 1
    last_day = calendar.monthrange(year, month)[1]
    return date(year, month, min(start.day, last_day))
