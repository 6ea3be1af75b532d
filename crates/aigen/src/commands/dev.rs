use crate::context::Context;
use crate::data_dir::KeyFile;
use crate::logging;
use crate::node::{LocalNode, chosen_model, first_free, listen};
use aigen_types::{Address, Amount};
use anyhow::Result;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};

/// Who pays for what is tried out.
const DEV_ADDRESS: &str = "user:dev";

const DEFAULT_PORT: u16 = 8000;

/// See [`super::Command::Dev`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen dev
  aigen dev --port 9000 --model ~/models/acme-8b.Q4_K_M.gguf

Everything stays on this machine: it listens on 127.0.0.1 alone, and journal and keys are
kept in .aigen of the current folder. At every start, user:dev is filled up to 10 AIGEN.")]
pub struct Args {
    /// Where to listen on 127.0.0.1; 8000 or the next free one when absent, 0 takes any
    #[arg(long)]
    port: Option<u16>,

    /// Use this model: a name of `aigen model list`, or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
}

/// A node to try things out on: with a key, and money behind it.
pub struct Dev {
    local: LocalNode,
    key: String,
    model: String,
    balance: Amount,
}

/// What `--json` prints once requests are answered.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    url: String,
    pid: u32,
    key: &'a str,
    model: &'a str,
    account: &'a str,
    balance: String,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let _relog = logging::start(&context.config.log, &context.output)?;
    let mut context = context.clone();
    if let Some(model) = &args.model {
        context.config.models = vec![chosen_model(model, &context.config)?];
    }
    let dev = Dev::start(&context, args.port).await?;
    let ready = Ready {
        url: dev.url(),
        pid: std::process::id(),
        key: &dev.key,
        model: &dev.model,
        account: DEV_ADDRESS,
        balance: dev.balance.to_string(),
    };
    context.output.data(&ready, || dev.welcome())?;
    dev.local.run().await
}

impl Dev {
    /// Starts it; on port 8000 or the next free one unless told otherwise.
    ///
    /// # Errors
    /// As [`LocalNode::start`].
    pub async fn start(context: &Context, port: Option<u16>) -> Result<Self> {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let bind = async || match port {
            Some(port) => listen(at(port)).await,
            None => first_free(at(DEFAULT_PORT)).await,
        };
        let local = LocalNode::start(&context.config, &context.output, bind).await?;
        let account: Address = DEV_ADDRESS.parse()?;
        let assembled = local.assembled();
        let key = assembled
            .kept_key(KeyFile::Dev, &"dev".parse()?, &account)
            .await?;
        let balance = assembled.fill_up(local.operator(), &account).await?;
        let model = context.config.models[0].name.to_string();
        Ok(Self {
            local,
            key,
            model,
            balance,
        })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        self.local.url()
    }

    /// The key of `user:dev`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Settles what runs and ends.
    ///
    /// # Errors
    /// When the server had failed.
    pub async fn stop(self) -> Result<()> {
        self.local.stop().await
    }

    /// All that a newcomer needs, ready to paste.
    fn welcome(&self) -> String {
        let Self {
            key,
            model,
            balance,
            ..
        } = self;
        let url = self.url();
        format!(
            r#"AiGen is running on this machine. Stop it with Ctrl-C.

  URL    {url}/v1
  key    {key}
  model  {model}
  money  {balance} AIGEN at {DEV_ADDRESS}

Ask it with curl:

curl {url}/v1/chat/completions \
  -H "Authorization: Bearer {key}" \
  -H "Content-Type: application/json" \
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Or from Python, with OpenAI's own library (pip install openai):

from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="{key}")
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "Hello!"}}],
)
print(answer.choices[0].message.content)

Or from another terminal, in this folder:

aigen chat                       talk to it and see what each answer costs
aigen ledger balance             see who has what
aigen fund {DEV_ADDRESS} 5            give out more money
aigen ledger verify              check every promise the journal makes
"#
        )
    }
}
