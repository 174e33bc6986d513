-- Writes down whose the rows of the journal are that are not in sakms_journal_owners yet. Every change does the same
-- for the row it adds, so that rows of programs of the earlier version, which know nothing of it, are caught up with.
-- As bytes, because the functions on text end at a NUL, and somebody may be called so.
INSERT OR IGNORE INTO sakms_journal_owners (seq, owner)
SELECT j.seq, CASE
    WHEN SUBSTR(j.subject, 1, 6) = 'owner:' AND LENGTH(CAST(j.subject AS BLOB)) BETWEEN 7 AND 134
        THEN CAST(SUBSTR(CAST(j.subject AS BLOB), 7) AS TEXT)
    WHEN SUBSTR(j.subject, 1, 8) = 'account:' AND LENGTH(CAST(j.subject AS BLOB)) = 44
        THEN SUBSTR(j.subject, 9)
    WHEN SUBSTR(j.subject, 1, 4) = 'key:'
        THEN k.owner
    END
FROM sakms_journal j
LEFT JOIN sakms_keys k ON k.id = UNHEX(CASE
    WHEN SUBSTR(j.subject, 1, 4) = 'key:' AND LENGTH(CAST(j.subject AS BLOB)) = 40
        THEN REPLACE(SUBSTR(j.subject, 5), '-', '')
    END)
WHERE j.seq > (SELECT COALESCE(MAX(o.seq), 0) FROM sakms_journal_owners o)
