# Written by gpuplan 0.1.0 from plan 'shared'.
# UNVERIFIED: not replayed. Scenario 0123456789ab.

# No provider and no cloud resource: this module checks the plan and gives it the shapes that the usual node pool modules take
# (see outputs.tf and README.md). Counts in it are limits. The running count belongs to the node autoscaler, so a node pool
# resource made from these values ignores it: lifecycle { ignore_changes = [scaling_config[0].desired_size] } on EKS,
# [initial_node_count] on GKE, [node_count] on AKS. The usual modules do that themselves.

terraform {
  required_version = ">= 1.6.0"
}

locals {
  by_cloud = {
    for cloud in ["aws", "gcp", "azure"] : cloud => { for name, pool in var.node_pools : name => pool if pool.cloud == cloud }
  }

  eks_effect = {
    NoSchedule       = "NO_SCHEDULE"
    PreferNoSchedule = "PREFER_NO_SCHEDULE"
    NoExecute        = "NO_EXECUTE"
  }

  # terraform-aws-modules/eks: eks_managed_node_groups. Not for clusters with Karpenter, which makes nodes from NodePools.
  eks_managed_node_groups = {
    for name, pool in local.by_cloud["aws"] : name => {
      ami_type       = "AL2023_x86_64_NVIDIA"
      instance_types = [pool.instance_type]
      capacity_type  = pool.capacity_type == "spot" ? "SPOT" : "ON_DEMAND"
      min_size       = pool.min_nodes
      max_size       = pool.max_nodes
      desired_size   = pool.min_nodes # first apply only, then the autoscaler's
      labels         = pool.labels
      taints = {
        for i, taint in pool.taints : "taint-${i}" => { key = taint.key, value = taint.value, effect = local.eks_effect[taint.effect] }
      }
    }
  }

  # terraform-google-modules/kubernetes-engine: node_pools, node_pools_labels, node_pools_taints.
  gke_node_pools = [
    for name, pool in local.by_cloud["gcp"] : {
      name            = name
      machine_type    = pool.instance_type
      node_locations  = join(",", pool.zones)
      autoscaling     = true
      total_min_count = pool.min_nodes
      total_max_count = pool.max_nodes
      spot            = pool.capacity_type == "spot"
      location_policy = pool.capacity_type == "spot" ? "ANY" : "BALANCED"
    }
  ]

  # Azure/aks: node_pools. Names of AKS pools are at most 12 letters and digits.
  aks_node_pools = {
    for name, pool in local.by_cloud["azure"] : name => {
      name                 = "g${substr(sha256(name), 0, 10)}"
      vm_size              = pool.instance_type
      zones                = [for zone in pool.zones : element(split("-", zone), length(split("-", zone)) - 1)]
      auto_scaling_enabled = true
      min_count            = pool.min_nodes
      max_count            = pool.max_nodes
      priority             = pool.capacity_type == "spot" ? "Spot" : "Regular"
      eviction_policy      = pool.capacity_type == "spot" ? "Delete" : null
      spot_max_price       = pool.capacity_type == "spot" ? -1 : null # at most the on-demand price
      node_labels          = pool.labels
      node_taints          = [for taint in pool.taints : "${taint.key}=${taint.value}:${taint.effect}"]
    }
  }
}

# One record a pool: a change of the plan shows in `terraform plan`, and contradictions stop it.
resource "terraform_data" "node_pool" {
  for_each = var.node_pools

  input = {
    cloud         = each.value.cloud
    region        = each.value.region
    zones         = each.value.zones
    instance_type = each.value.instance_type
    capacity_type = each.value.capacity_type
    min_nodes     = each.value.min_nodes
    max_nodes     = each.value.max_nodes
    limits        = each.value.limits
    labels        = each.value.labels
    taints        = each.value.taints
    fallback_pool = try(each.value.spot.fallback_pool, null)
  }

  lifecycle {
    precondition {
      condition     = try(each.value.spot.fallback_pool, null) == null ? true : try(var.node_pools[each.value.spot.fallback_pool].capacity_type, "") == "on-demand"
      error_message = "The fallback of pool ${each.key} is no on-demand pool of this plan."
    }
    precondition {
      condition     = each.value.limits.nodes == each.value.max_nodes && each.value.limits.gpus == each.value.max_nodes * each.value.gpus_per_node
      error_message = "The limits of pool ${each.key} do not match its nodes."
    }
  }
}

# The money, so that a plan that costs more shows in the review.
resource "terraform_data" "plan" {
  input = {
    gpuplan = var.gpuplan
    costs   = var.costs
  }
}
