# Written by gpuplan 0.1.0 from plan 'demo-gke'.
# UNVERIFIED: not replayed. Scenario 0123456789ab.
# DEMO: this is the embedded demo and not your fleet. Do not apply it to a cluster you pay for.

variable "gpuplan" {
  description = "Which plan these values come from and what has been proven about it."
  type = object({
    format          = string # gpuplan/terraform/v1
    plan            = string
    demo            = bool   # true: the embedded demo, not your fleet
    verification    = string # UNVERIFIED until a replay of the emitted files has passed
    scenario_sha256 = string
    gpuplan_version = string
    node_autoscaler = string # karpenter, gke or aks
  })

  validation {
    condition     = var.gpuplan.format == "gpuplan/terraform/v1"
    error_message = "These files read the format gpuplan/terraform/v1; emit them again with the gpuplan that wrote the values."
  }
}

variable "node_pools" {
  description = "Sets of equal machines bought one way, by name. Counts are limits for the node autoscaler, not wishes: pods move first, nodes follow."
  type = map(object({
    cloud           = string # aws, gcp, azure
    region          = string
    zones           = list(string) # empty: any zone of the region
    instance_type   = string
    accelerator     = string # GPU type
    gpus_per_node   = number
    capacity_type   = string # on-demand, spot
    assurance       = string # reserved, reliable, scarce
    min_nodes       = number # fewest nodes at any hour of the planned week
    max_nodes       = number # most nodes at any hour, those that stand in for a lost spot pool included
    committed_nodes = number # of these, already paid for by a commitment
    limits = object({
      nodes = number
      gpus  = number
    })
    consolidate_after_s = number # an empty node is kept this long
    labels              = map(string)
    taints = list(object({
      key    = string
      value  = string
      effect = string # NoSchedule, PreferNoSchedule, NoExecute
    }))
    spot = optional(object({
      fallback_pool     = optional(string) # takes over when this pool cannot supply
      zones_spread      = number
      notice_s          = number
      availability      = number
      reclaims_per_hour = number
      evidence          = string # own-log, trace, advisor-band, prior
    }))
    partition = optional(object({
      technique       = string           # mig, mps, time-slicing
      layout          = string           # its name in the GPU operator's configuration
      slices_per_node = map(number)      # Kubernetes resource -> slices of a node
      team            = optional(string) # the one team that may run here
    }))
    workloads                 = list(string)
    usd_per_node_hour         = number
    planned_usd_per_node_hour = number # spot: with fallback and switching
    usd_per_month             = number
  }))

  validation {
    condition     = alltrue([for pool in values(var.node_pools) : 0 <= pool.min_nodes && pool.min_nodes <= pool.max_nodes])
    error_message = "Every node pool needs 0 <= min_nodes <= max_nodes."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : floor(pool.min_nodes) == pool.min_nodes && floor(pool.max_nodes) == pool.max_nodes])
    error_message = "Node counts are whole numbers."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : pool.committed_nodes >= 0 && pool.gpus_per_node >= 1])
    error_message = "A pool has at least one GPU a node and no negative commitment."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : contains(["on-demand", "spot"], pool.capacity_type)])
    error_message = "capacity_type is on-demand or spot."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : contains(["aws", "gcp", "azure"], pool.cloud)])
    error_message = "cloud is aws, gcp or azure."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : length(trimspace(pool.instance_type)) > 0 && length(trimspace(pool.region)) > 0])
    error_message = "Every node pool needs an instance_type and a region."
  }
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : (pool.capacity_type == "spot") == (pool.spot != null)])
    error_message = "Spot pools, and only they, have spot terms."
  }
  validation {
    condition     = alltrue(flatten([for pool in values(var.node_pools) : [for taint in pool.taints : contains(["NoSchedule", "PreferNoSchedule", "NoExecute"], taint.effect)]]))
    error_message = "The effect of a taint is NoSchedule, PreferNoSchedule or NoExecute."
  }
  validation {
    condition     = alltrue([for name in keys(var.node_pools) : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "The name of a node pool is a DNS label."
  }
}

variable "workloads" {
  description = "What the plan decides for each workload, by name: for outputs, tags and cost allocation. KEDA, not Terraform, sets replicas."
  type = map(object({
    kind                   = string # service, batch, training
    mode                   = string # static, scheduled, reactive, placed, frozen
    team                   = string
    cost_center            = string
    namespace              = string
    floor_pool             = optional(string)
    floor_replicas         = optional(number)
    floor_max_replicas     = optional(number)
    flex_pool              = optional(string)
    flex_max_replicas      = optional(number)
    fallback_pool          = optional(string)
    scaled_by_keda         = list(string) # floor, flex
    usd_per_month          = number
    baseline_usd_per_month = number
  }))
}

variable "schedules" {
  description = "Windows of the week with their own floors. KEDA carries them out; they are here for the reader and for other schedulers."
  type = list(object({
    workload       = string
    time_zone      = string       # IANA
    days           = list(number) # 0 Monday .. 6 Sunday
    start_hour     = number       # local
    end_hour       = number       # local; above 24 it ends on the next day
    floor_replicas = number
    flex_replicas  = number
    cron_start     = string # moved ahead of start_hour by the start-up of node and replica
    cron_end       = string
  }))

  validation {
    condition     = alltrue([for window in var.schedules : window.start_hour < window.end_hour && window.end_hour <= window.start_hour + 24])
    error_message = "A window ends after it starts and lasts at most 24 hours."
  }
  validation {
    condition     = alltrue([for window in var.schedules : length(split(" ", window.cron_start)) == 5 && length(split(" ", window.cron_end)) == 5])
    error_message = "Schedules have five fields."
  }
}

variable "costs" {
  description = "What the plan costs, in US dollars a month. bound is proven: no plan under the same limits costs less."
  type = object({
    usd_per_month             = number
    on_demand_usd_per_month   = number
    spot_usd_per_month        = number
    commitments_usd_per_month = number
    baseline_usd_per_month    = number
    saving                    = number # share of the baseline
    bound_usd_per_month       = number
    gap                       = number
    target_met                = optional(bool)
  })
}
