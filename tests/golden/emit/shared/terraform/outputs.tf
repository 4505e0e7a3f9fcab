# Written by gpuplan 0.1.0 from plan 'shared'.
# UNVERIFIED: not replayed. Scenario 0123456789ab.

output "verification" {
  description = "What has been proven about the plan."
  value       = var.gpuplan.demo ? "DEMO (not your fleet). ${var.gpuplan.verification}" : var.gpuplan.verification
}

output "node_pools" {
  description = "Every pool as planned, by name."
  value       = { for name, pool in terraform_data.node_pool : name => pool.output }
}

output "eks_managed_node_groups" {
  description = "For terraform-aws-modules/eks, on clusters without Karpenter."
  value       = local.eks_managed_node_groups
}

output "gke_node_pools" {
  description = "For terraform-google-modules/kubernetes-engine."
  value       = local.gke_node_pools
}

output "gke_node_pools_labels" {
  description = "Labels for the same module."
  value       = { for name, pool in local.by_cloud["gcp"] : name => pool.labels }
}

output "gke_node_pools_taints" {
  description = "Taints for the same module."
  value = {
    for name, pool in local.by_cloud["gcp"] : name => [
      for taint in pool.taints : { key = taint.key, value = taint.value, effect = local.eks_effect[taint.effect] }
    ]
  }
}

output "aks_node_pools" {
  description = "For Azure/aks."
  value       = local.aks_node_pools
}

output "gpu_limits" {
  description = "Most GPUs by accelerator and capacity type: compare with your quotas."
  value = {
    for key in distinct([for pool in values(var.node_pools) : "${pool.accelerator}/${pool.capacity_type}"]) :
    key => sum([for pool in values(var.node_pools) : pool.limits.gpus if "${pool.accelerator}/${pool.capacity_type}" == key])
  }
}

output "workloads" {
  description = "Where each workload runs and what it costs."
  value       = var.workloads
}

output "schedules" {
  description = "Windows of the week."
  value       = var.schedules
}

output "costs" {
  description = "US dollars a month: the plan, the bill of today, the proven bound."
  value       = var.costs
}
