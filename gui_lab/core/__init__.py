"""The lab without windows. Qt is never imported here."""
