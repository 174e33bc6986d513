-- Writes down whose the rows of the journal are that are not in sakms_journal_owners yet. Every change does the same
-- for the row it adds, so that rows of nodes of the earlier version, which know nothing of it, are caught up with.
INSERT IGNORE INTO sakms_journal_owners (seq, owner)
SELECT j.seq, CASE
    WHEN SUBSTR(j.subject, 1, 6) = 'owner:' AND LENGTH(j.subject) BETWEEN 7 AND 134
        THEN SUBSTR(j.subject, 7)
    WHEN SUBSTR(j.subject, 1, 8) = 'account:' AND LENGTH(j.subject) = 44
        THEN SUBSTR(j.subject, 9)
    WHEN SUBSTR(j.subject, 1, 4) = 'key:'
        THEN k.owner
    END
FROM sakms_journal j
LEFT JOIN sakms_keys k ON k.id = UNHEX(CASE
    WHEN SUBSTR(j.subject, 1, 4) = 'key:' AND LENGTH(j.subject) = 40
        THEN REPLACE(SUBSTR(j.subject, 5), '-', '')
    END)
WHERE j.seq > (SELECT COALESCE(MAX(o.seq), 0) FROM sakms_journal_owners o)
