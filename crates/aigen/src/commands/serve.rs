use crate::config::{Config, TlsConfig};
use crate::context::Context;
use crate::logging;
use crate::node::{LocalNode, Source, chosen_model, listen};
use anyhow::Result;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// See [`super::Command::Serve`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen serve
  aigen serve --listen 0.0.0.0:8000 --data-dir /srv/aigen
  aigen serve --model ~/models/acme-8b.Q4_K_M.gguf
  aigen serve --listen 0.0.0.0:443 --tls-certificate fullchain.pem \\
      --tls-key privkey.pem
  aigen serve --journal postgres://aigen@db.example/aigen \\
      --advertise http://10.0.0.7:8000

Ctrl-C or SIGTERM stops it: running calls may finish, then they are ended and settled. The
configuration is read again on SIGHUP and when its file changes.")]
pub struct Args {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Keep the journal in this PostgreSQL database, which other nodes may share
    #[arg(long, value_name = "URL")]
    journal: Option<String>,

    /// Where nodes of the same database reach this one; by default where it listens
    #[arg(long, value_name = "URL")]
    advertise: Option<String>,

    /// Speak TLS only, and show this certificate chain, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// The certificate's private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Serve this model: a name of `aigen model list`, or a GGUF file; may be repeated
    #[arg(long = "model", value_name = "NAME|FILE")]
    models: Vec<String>,
}

/// What `--json` prints once requests are answered.
#[derive(Debug, Serialize)]
struct Ready {
    url: String,
    pid: u32,
    network: String,
    models: Vec<String>,
}

impl Args {
    /// A configuration with the flags over it.
    fn over(&self, mut config: Config) -> Result<Config> {
        if !self.models.is_empty() {
            let chosen = self.models.iter().map(|model| chosen_model(model, &config));
            config.models = chosen.collect::<Result<_>>()?;
        }
        config.journal = self.journal.clone().or(config.journal);
        config.advertise = self.advertise.clone().or(config.advertise);
        config.listen = self.listen.unwrap_or(config.listen);
        if let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) {
            config.tls = Some(TlsConfig {
                certificate: certificate.clone(),
                key: key.clone(),
            });
        }
        config.check()?;
        Ok(config)
    }
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let relog = logging::start(&context.config.log, &context.output)?;
    let config = args.over(context.config.clone())?;
    let address = config.listen;
    let mut local =
        LocalNode::start(&config, &context.output, async || listen(address).await).await?;
    let (file, reread) = (context.file(), context.clone());
    let source = Source {
        read: Box::new(move || args.over(reread.reread()?)),
        file,
        relog,
    };
    local.follow(source, &context.output)?;
    let ready = Ready {
        url: local.url(),
        pid: std::process::id(),
        network: config.network.to_string(),
        models: local.models(),
    };
    context.output.data(&ready, || ready.url.clone())?;
    context.output.say(format!(
        "serving {} on {}; stop with Ctrl-C",
        ready.models.join(", "),
        ready.url
    ));
    local.run().await
}
