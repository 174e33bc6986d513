//! Page cursors: one opens the list it was made for, in its one spelling, and no other text opens any.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sakms_core::key::{Environment, Owner};
use sakms_core::service::{Caller, Cursor, Error, KeySelection, ListRequest, Sakms};
use sakms_core::store::MemoryStore;
use sha2::Sha256;

use crate::draw::Draw;
use crate::world;

const OWNERS: [&str; 2] = ["ada", "bob"];

struct Lists {
    sakms: Sakms,
    macs: [Hmac<Sha256>; 2],
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let sakms = world::wait(async {
        let builder = Sakms::builder(MemoryStore::new(), world::master_keys());
        builder
            .key_prefix("acme")
            .unwrap()
            .clock(world::clock())
            .build()
            .unwrap()
    });
    let macs = world::macs(b"sakms cursor v1");
    Lists { sakms, macs }
});

impl Lists {
    /// A cursor of an owner's whole list, made by hand.
    fn sealed(&self, which: usize, owner: &str, id: [u8; 16]) -> String {
        let mac = self.macs[which]
            .clone()
            .chain_update(id)
            .chain_update(owner);
        let seal = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&id, &seal[..16]].concat())
    }

    fn accepts(&self, owner: &str, selection: KeySelection, text: &str) -> bool {
        let owner: Owner = owner.parse().unwrap();
        let mut request = ListRequest::default();
        request.selection = selection;
        request.cursor = Some(Cursor::new(text.to_owned()));
        match world::wait(self.sakms.list_keys(&Caller::owner(owner), request)) {
            Ok(page) => {
                assert!(page.keys.is_empty() && page.next.is_none());
                true
            }
            Err(Error::Invalid(_)) => false,
            Err(error) => panic!("a list failed: {error:?}"),
        }
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (lists, mut draw) = (&*LISTS, Draw::new(data));
    let owner = *draw.pick(&OWNERS);
    let mut selection = KeySelection::default();
    let whole = draw.coin();
    if !whole {
        selection.environment = Some(Environment::live());
    }
    if draw.coin() {
        let text = draw.text();
        let accepted = lists.accepts(owner, selection, &text);
        let id = URL_SAFE_NO_PAD
            .decode(&*text)
            .ok()
            .and_then(|bytes| bytes.first_chunk().copied());
        let known = id.is_some_and(|id| {
            [0, 1]
                .iter()
                .any(|which| lists.sealed(*which, owner, id) == text)
        });
        assert_eq!(accepted, whole && known, "{text:?}");
        return;
    }
    let (which, made_for) = (draw.below(2), *draw.pick(&OWNERS));
    let sealed = lists.sealed(which, made_for, draw.bytes());
    let edited = draw.edit(&sealed);
    let accepted = lists.accepts(owner, selection, &edited);
    assert_eq!(
        accepted,
        whole && made_for == owner && edited == sealed,
        "{edited:?}"
    );
}
