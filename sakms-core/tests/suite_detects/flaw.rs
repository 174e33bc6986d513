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
    /// Forgets one of the fields that a patch can change.
    ForgetsTheBeginning,
    /// Has a column that is too short, and no strict mode.
    CutsLimits,
    /// Takes any secret for one of the key's.
    KeepsAnybodysSecret,
    /// Counts an owner's keys and inserts the new one afterwards.
    CountsBeforeItInserts,
    /// Counts every key of an owner.
    CountsDeadKeys,
    /// Looks whether there is room before it looks whether the request was made before.
    CountsBeforeItLooksForRepeats,
    /// Looks for the request and remembers it afterwards.
    LooksBeforeItRemembers,
    /// Remembers a request that it refuses then.
    RemembersWhatItRefuses,
    /// Forgets requests of the moment itself.
    ForgetsTooMuch,
    /// Reads what is left of a quota and writes what is taken afterwards.
    ReadsBeforeItTakes,
    /// Adds with numbers that wrap around.
    WrapsAround,
    /// Keeps what was taken for each period, and gives of those that are over.
    TakesFromThePast,
    /// Counts a refusal as a use.
    UsesWhatItRefuses,
    /// Keeps one use of each secret of a call.
    MergesUses,
    /// Shows the place that was told last, not that of the latest use.
    ShowsTheLastPlaceTold,
    /// Forgets to ask for the tag.
    ForgetsTheTag,
    /// Takes a tag for a pattern, in which `_` is any letter.
    LikesTags,
    /// Cuts a page first and asks afterwards which keys of it match.
    FiltersThePage,
    /// Orders roles as most collations do.
    CollatesRoles,
    /// Takes a role from the keys that hold it, too.
    TakesRolesFromKeys,
    /// Defines as many roles as anybody likes.
    DefinesAnyNumber,
    /// Compares actors as most collations do.
    FoldsActors,
    /// Has the rows of the last moment, too.
    IncludesTheEnd,
    /// Shows an owner only what is about them by name.
    ShowsOwnersByName,
    /// Joins the roles of accounts in one read and not in the other.
    ForgetsRolesInOneRead,
    /// Cuts what is kept for a while where its column ends.
    CutsValues,
    /// Lists first what ends last, not what is newest.
    ListsWhatEndsLast,
    /// Removes everything of an owner, of whatever kind.
    RemovesOtherKinds,
    /// Removes the one as well that is to be spared.
    SparesNothing,
}
