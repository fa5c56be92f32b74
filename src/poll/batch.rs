//! Joins questions that are asked at about the same time, so that one transaction answers them all.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Questions that wait to be answered together. Clones share them.
#[derive(Debug)]
pub(super) struct Batch<Q, A> {
    waiting: Arc<Mutex<Waiting<Q, A>>>,
}

#[derive(Debug)]
struct Waiting<Q, A> {
    questions: Vec<(Q, oneshot::Sender<A>)>,
    /// Whether a task answers them.
    is_answered: bool,
}

impl<Q, A> Clone for Batch<Q, A> {
    fn clone(&self) -> Self {
        Self { waiting: Arc::clone(&self.waiting) }
    }
}

impl<Q, A> Default for Batch<Q, A> {
    fn default() -> Self {
        let waiting = Waiting { questions: Vec::new(), is_answered: false };
        Self { waiting: Arc::new(Mutex::new(waiting)) }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batch<Q, A> {
    /// Adds a question and waits for its answer. `answer` gets all questions that wait and returns one answer for each,
    /// in the same order; the one of the first question answers those that come meanwhile too. `None`: there is no answer,
    /// because the process ends or `answer` returned too few.
    pub(super) async fn ask<F: Future<Output = Vec<A>> + Send + 'static>(
        &self,
        question: Q,
        answer: impl Fn(Vec<Q>) -> F + Send + 'static,
    ) -> Option<A> {
        let (sender, receiver) = oneshot::channel();
        let starts = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.questions.push((question, sender));
            !std::mem::replace(&mut waiting.is_answered, true)
        };
        if starts {
            // A task, because who asks can be cancelled while others wait for the same batch.
            tokio::spawn(self.clone().answer_all(answer));
        }
        receiver.await.ok()
    }

    /// Answers all questions that wait, and those that came meanwhile.
    async fn answer_all<F: Future<Output = Vec<A>>>(self, answer: impl Fn(Vec<Q>) -> F) {
        loop {
            // Polls that start now join the batch.
            tokio::task::yield_now().await;
            let asked = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.is_answered = !waiting.questions.is_empty();
                std::mem::take(&mut waiting.questions)
            };
            if asked.is_empty() {
                return;
            }
            let (questions, senders): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
            for (sender, answer) in senders.into_iter().zip(answer(questions).await) {
                // The poll may have been cancelled.
                let _ = sender.send(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn questions_asked_together_are_answered_together_and_each_gets_its_own_answer() {
        let batch = Batch::default();
        let answer = |asked: Vec<u32>| async move {
            let together = asked.len();
            asked.into_iter().map(|it| (it, together)).collect()
        };
        let (one, two) = tokio::join!(batch.ask(1, answer), batch.ask(2, answer));
        assert_eq!((one, two), (Some((1, 2)), Some((2, 2))));
        assert_eq!(batch.ask(3, answer).await, Some((3, 1)), "a later question starts a new batch");
    }

    #[tokio::test]
    async fn a_question_without_an_answer_ends_and_the_next_one_is_answered() {
        let batch = Batch::default();
        let answer =
            |asked: Vec<u32>| async move { asked.into_iter().filter(|it| *it != 1).collect() };
        assert_eq!(batch.ask(1, answer).await, None);
        assert_eq!(batch.ask(2, answer).await, Some(2));
    }

    #[tokio::test]
    async fn those_who_wait_are_answered_when_the_one_who_asked_first_gives_up() {
        let batch = Batch::default();
        let answer = |asked: Vec<u32>| async move { asked };
        let (first, second) = (batch.clone(), batch.clone());
        let first = tokio::spawn(async move { first.ask(1, answer).await });
        let second = tokio::spawn(async move { second.ask(2, answer).await });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.ok().flatten(), Some(2));
    }
}
