-- Defines `:Plugins`, which opens the picker of lua/plugd.lua.
vim.api.nvim_create_user_command('Plugins', function()
  require('plugd').pick()
end, { desc = 'Browse, read, install and uninstall agent plugins' })
