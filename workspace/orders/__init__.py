"""Orders, quotations and invoices."""
