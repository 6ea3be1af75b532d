use crate::client::Client;
use crate::error::ClientError;
use aigen_api::resources::{
    Allowance, AnyReceipt, Budget, GrantAllowance, List, Refund, Reverse, RevokeAllowance,
    SetBudget,
};
use aigen_types::CallId;

/// Budgets, allowances and money given back.
impl Client {
    /// The budgets that the key may set, and those that bound it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn budgets(&self) -> Result<List<Budget>, ClientError> {
        self.get("/v1/aigen/budgets").await
    }

    /// Bounds what an address and everything below it may spend; every budget as it is then.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn set_budget(&self, budget: &SetBudget) -> Result<List<Budget>, ClientError> {
        self.post("/v1/aigen/budgets", budget).await
    }

    /// The allowances that the key's account granted or may spend.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn allowances(&self) -> Result<List<Allowance>, ClientError> {
        self.get("/v1/aigen/allowances").await
    }

    /// Lets an app spend of the key's account; every allowance as it is then.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn grant_allowance(
        &self,
        grant: &GrantAllowance,
    ) -> Result<List<Allowance>, ClientError> {
        self.post("/v1/aigen/allowances", grant).await
    }

    /// Ends that; every allowance as it is then.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn revoke_allowance(
        &self,
        revoke: &RevokeAllowance,
    ) -> Result<List<Allowance>, ClientError> {
        self.post("/v1/aigen/allowances/revoke", revoke).await
    }

    /// Undoes a call, or a read, of the running epoch; its receipt afterwards. Operators only.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reverse(
        &self,
        call: CallId,
        reverse: &Reverse,
    ) -> Result<AnyReceipt, ClientError> {
        let path = format!("/v1/aigen/receipts/{call}/reverse");
        self.post(&path, reverse).await
    }

    /// Pays a call, or a read, back from the treasury; its receipt afterwards. Operators only.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn refund(&self, call: CallId, refund: &Refund) -> Result<AnyReceipt, ClientError> {
        let path = format!("/v1/aigen/receipts/{call}/refund");
        self.post(&path, refund).await
    }
}
