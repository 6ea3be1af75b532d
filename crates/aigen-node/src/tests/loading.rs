//! Models that are being loaded while their node ends.

use super::*;
use crate::{Loader, Loading, ServedModels};
use aigen_types::ModelName;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Has come half way, and asks from step to step whether it is still wanted.
struct Stepping {
    came: mpsc::Sender<ControlFlow<()>>,
    goes: Mutex<mpsc::Receiver<()>>,
}

impl Loader for Stepping {
    fn load(
        &self,
        _: &ModelName,
        _: &ServedModels,
        loading: &Loading,
    ) -> Result<(Served, NewModel), String> {
        while let ControlFlow::Continue(()) = loading.at(50) {
            self.came.send(ControlFlow::Continue(())).unwrap();
            self.goes.lock().unwrap().recv().unwrap();
        }
        self.came.send(ControlFlow::Break(())).unwrap();
        Err("nobody wants it any more".to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ends_gives_up_what_it_loads() {
    let world = World::new(1).await;
    let ((came, heard), (go, goes)) = (mpsc::channel(), mpsc::channel());
    let goes = Mutex::new(goes);
    world.node.load_by(Arc::new(Stepping { came, goes }));
    let (node, mut operator) = (world.node.clone(), world.caller.clone());
    operator.role = Role::Operator;
    let loading = tokio::spawn(async move { node.load_model(&operator, parsed("large")).await });
    let heard = tokio::task::spawn_blocking(move || {
        let first = heard.recv().unwrap();
        (first, heard)
    });
    let (first, heard) = heard.await.unwrap();
    assert!(first.is_continue());

    world.node.shut_down(Duration::from_secs(60)).await;
    go.send(()).unwrap();
    let said = loading.await.unwrap().unwrap_err().to_string();
    assert!(said.contains("nobody wants it any more"), "{said}");
    assert!(heard.recv().unwrap().is_break());
}
