//! Answers for a thread that drives many calls, handed over together. Whoever wakes a task of another thread makes a
//! system call for it, and may have that thread take the processor at once; so a thread with a mailbox is woken once for a
//! record, and wakes its own tasks itself.

use crate::queue::Reply;
use crate::replay::Answer;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

thread_local! {
    static HERE: RefCell<Option<Address>> = const { RefCell::new(None) };
}

/// What is asked on this thread of a [`Journal`](crate::Journal) that writes alone is answered here, for as long as this is
/// kept: whoever waits hears of it once [`Mailbox::deliver`] is polled. A cluster's member answers without it.
#[derive(Debug)]
pub struct Mailbox {
    address: Address,
    /// It belongs to its thread.
    _stays: PhantomData<*const ()>,
}

/// Where letters to a thread go.
#[derive(Clone, Debug)]
pub(crate) struct Address(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    /// `None` once nobody hands them out any more.
    letters: Mutex<Option<Vec<Letter>>>,
    rung: Notify,
}

/// An answer and who waits for it.
#[derive(Debug)]
pub(crate) struct Letter {
    pub reply: Reply,
    pub seq: u64,
    pub answers: Vec<Answer>,
}

impl Letter {
    pub fn deliver(self) {
        self.reply.send(self.seq, self.answers);
    }
}

impl Mailbox {
    /// This thread's, in place of one that it had.
    #[must_use]
    pub fn here() -> Self {
        let address = Address(Arc::new(Slot {
            letters: Mutex::new(Some(Vec::new())),
            rung: Notify::new(),
        }));
        HERE.set(Some(address.clone()));
        Self {
            address,
            _stays: PhantomData,
        }
    }

    /// Hands out what comes, for ever.
    pub async fn deliver(&self) {
        loop {
            self.address.0.rung.notified().await;
            let letters = self.address.0.change(|letters| letters.as_mut().map(take));
            deliver(letters);
        }
    }
}

/// Nobody waits for what nobody hands out.
impl Drop for Mailbox {
    fn drop(&mut self) {
        HERE.with_borrow_mut(|here| drop(here.take_if(|here| here.is(&self.address))));
        deliver(self.address.0.change(Option::take));
    }
}

fn deliver(letters: Option<Vec<Letter>>) {
    let letters = letters.into_iter().flatten();
    letters.for_each(Letter::deliver);
}

impl Slot {
    fn change<T>(&self, change: impl FnOnce(&mut Option<Vec<Letter>>) -> T) -> T {
        // Every change leaves whole letters.
        change(&mut self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Address {
    /// That of this thread, if it has a mailbox.
    pub fn here() -> Option<Self> {
        HERE.with_borrow(Clone::clone)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Puts letters there, or gives them back where nobody hands them out.
    fn put(&self, mut bundle: Vec<Letter>) -> Option<Vec<Letter>> {
        let unsent = self.0.change(|letters| match letters {
            Some(letters) => {
                letters.append(&mut bundle);
                None
            }
            None => Some(bundle),
        });
        self.0.rung.notify_one();
        unsent
    }
}

/// The letters of one record.
#[derive(Debug, Default)]
pub(crate) struct Post(Vec<(Address, Vec<Letter>)>);

impl Post {
    /// Keeps a letter for its address until all are sent; without one it is delivered now.
    pub fn add(&mut self, address: Option<Address>, letter: Letter) {
        let Some(address) = address else {
            return letter.deliver();
        };
        let known = self.0.iter_mut().find(|(known, _)| known.is(&address));
        match known {
            Some((_, letters)) => letters.push(letter),
            None => self.0.push((address, vec![letter])),
        }
    }

    /// Sends each bundle. Where a mailbox is gone, its letters are delivered here.
    pub fn send(self) {
        for (address, letters) in self.0 {
            deliver(address.put(letters));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Committed;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};
    use tokio::sync::oneshot::{self, Receiver, error::TryRecvError};

    fn letter(seq: u64) -> (Letter, Receiver<Committed>) {
        let (reply, answered) = oneshot::channel();
        let letter = Letter {
            reply: Reply::One(reply),
            seq,
            answers: vec![Ok(aigen_network::Reply::Done)],
        };
        (letter, answered)
    }

    fn sent(letters: Vec<Letter>) {
        let mut post = Post::default();
        for letter in letters {
            post.add(Address::here(), letter);
        }
        post.send();
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_answers_of_a_record_wake_their_thread_once() {
        let mailbox = Mailbox::here();
        let woken = Arc::<Woken>::default();
        let waker = Arc::clone(&woken).into();
        let mut waiting = Context::from_waker(&waker);
        let mut delivering = pin!(mailbox.deliver());
        assert!(delivering.as_mut().poll(&mut waiting).is_pending());
        let (letters, mut answered): (Vec<_>, Vec<_>) = (1..=5).map(letter).unzip();
        sent(letters);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        for answer in &mut answered {
            assert_eq!(answer.try_recv().unwrap_err(), TryRecvError::Empty);
        }
        assert!(delivering.as_mut().poll(&mut waiting).is_pending());
        for (seq, mut answer) in (1..=5).zip(answered) {
            assert_eq!(answer.try_recv().unwrap().seq, seq);
        }
    }

    #[test]
    fn who_has_no_mailbox_is_told_at_once() {
        let (letter, mut answered) = letter(7);
        sent(vec![letter]);
        assert_eq!(answered.try_recv().unwrap().seq, 7);
    }

    /// Neither what lies in it, nor what is sent to where it was.
    #[test]
    fn a_mailbox_that_is_gone_loses_no_letter() {
        let mailbox = Mailbox::here();
        let address = Address::here();
        let ((before, mut lay), (after, mut late)) = (letter(1), letter(2));
        sent(vec![before]);
        drop(mailbox);
        assert_eq!(lay.try_recv().unwrap().seq, 1);
        let mut post = Post::default();
        post.add(address, after);
        post.send();
        assert_eq!(late.try_recv().unwrap().seq, 2);
    }
}
