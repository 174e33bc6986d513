//! What can be wrong.

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Makes a change whatever was seen.
    IgnoresTheRevision,
    /// Compares the revision and makes the change afterwards, instead of both at once.
    ComparesBeforeItChanges,
    /// Replaces a hash whatever it is.
    IgnoresTheHash,
    /// Compares the hash and replaces it afterwards.
    ComparesBeforeItReplaces,
    /// Counts a new hash as a change of the key or the account.
    CountsNewHashes,
    /// Takes "no row was changed" for success.
    ChangesWhatIsNotThere,
    /// Compares addresses as a padded column does.
    PadsAddresses,
    /// Compares owners as most collations do.
    FoldsOwners,
    /// Keeps milliseconds.
    LosesMicroseconds,
    /// Writes the journal outside of the transaction.
    JournalsWhatItRefuses,
    /// Gives out places in the journal before the rows can be seen: a later one shows first.
    ShowsRowsOutOfOrder,
}
