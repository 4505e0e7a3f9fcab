# Every model named on the command line: its versions from the repository, as links, and one configuration of two parts.
for model in "$@"; do
  there="/repository/$model"
  here="/models/$model"
  if [ ! -d "$there" ]; then
    echo "the repository has no model $model" >&2
    exit 1
  fi
  mkdir -p "$here"
  for entry in "$there"/*; do
    if [ "${entry##*/}" != config.pbtxt ]; then
      ln -sfn "$entry" "$here/${entry##*/}"
    fi
  done
  : > "$here/config.pbtxt"
  if [ -f "$there/config.pbtxt" ]; then
    # Triton refuses a second batch size by itself; a second group of instances it would add.
    if grep -Eq '^[[:space:]]*(instance_group|dynamic_batching|max_batch_size)' "$there/config.pbtxt"; then
      echo "the configuration of $model in the repository sets what the plan sets: take instance_group, dynamic_batching and max_batch_size out of it" >&2
      exit 1
    fi
    # The name comes from the plan.
    sed '/^name[[:space:]]*:/d' "$there/config.pbtxt" > "$here/config.pbtxt"
    echo >> "$here/config.pbtxt"
  fi
  cat "/plan/$model.pbtxt" >> "$here/config.pbtxt"
done
